#include "storage/file_writer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "storage/direct.h"
#include "storage/system_error.h"

namespace kb::storage {
namespace {

constexpr std::size_t parts_per_write = 64;
// Of memory, lengths and offsets: a multiple of every block size that O_DIRECT asks for in practice.
constexpr std::size_t alignment = 4096;
constexpr std::size_t chunk_bytes = 2 * 1024 * 1024;

// Writes all of `parts`, in few system calls.
void write_cached(const Context& ctx, int fd, const std::string& path,
                  std::span<const std::string_view> parts) {
  std::size_t written = 0;  // of the first part left
  while (!parts.empty()) {
    ctx.check();
    std::array<iovec, parts_per_write> vectors{};
    std::size_t count = std::min(parts.size(), vectors.size());
    for (std::size_t i = 0; i < count; ++i) {
      auto rest = parts[i].substr(i == 0 ? written : 0);
      vectors.at(i) = {const_cast<char*>(rest.data()), rest.size()};
    }
    auto n = ::writev(fd, vectors.data(), static_cast<int>(count));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_error(errno, "writing", path);
    written += static_cast<std::size_t>(n);
    for (; !parts.empty() && written >= parts.front().size(); parts = parts.subspan(1))
      written -= parts.front().size();
  }
}

struct Free {
  void operator()(char* memory) const { std::free(memory); }
};

// A thread keeps its memory: fresh pages cost as much as the copy into them.
std::span<char> aligned_memory() {
  thread_local std::unique_ptr<char, Free> memory(
      static_cast<char*>(std::aligned_alloc(alignment, chunk_bytes)));
  if (!memory) throw std::bad_alloc();
  return {memory.get(), chunk_bytes};
}

// Fills memory from the parts, one after the other.
class Gatherer {
 public:
  explicit Gatherer(std::span<const std::string_view> parts) : parts_(parts) {}
  std::size_t fill(std::span<char> memory) {
    std::size_t filled = 0;
    while (filled < memory.size() && !parts_.empty()) {
      auto piece = parts_.front().substr(used_, memory.size() - filled);
      std::memcpy(memory.data() + filled, piece.data(), piece.size());
      filled += piece.size();
      used_ += piece.size();
      if (used_ == parts_.front().size()) {
        parts_ = parts_.subspan(1);
        used_ = 0;
      }
    }
    return filled;
  }

 private:
  std::span<const std::string_view> parts_;
  std::size_t used_ = 0;  // of the first part left
};

// Writes one aligned chunk at `offset`. A direct write that was cut short off the grid goes on from the last
// grid line; one that the file system refuses for its form, or cuts within the first block (the disk is
// nearly full), is done through the cache, which takes any length: so each round writes more, or throws.
void write_chunk(int fd, const std::string& path, std::span<const char> chunk, std::size_t offset) {
  bool on_grid = true;
  auto leave_grid = [&] {
    if (!on_grid || !set_direct(fd, false)) throw system_error(EIO, "writing", path);
    on_grid = false;
  };
  while (!chunk.empty()) {
    auto n = ::pwrite(fd, chunk.data(), chunk.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno != EINVAL || !on_grid)) throw system_error(errno, "writing", path);
    auto done = static_cast<std::size_t>(std::max<ssize_t>(n, 0));
    if (on_grid && done < chunk.size()) done -= done % alignment;
    if (done == 0) leave_grid();
    chunk = chunk.subspan(done);
    offset += done;
  }
}

void write_direct(const Context& ctx, int fd, const std::string& path,
                  std::span<const std::string_view> parts) {
  auto memory = aligned_memory();
  Gatherer gatherer(parts);
  std::size_t offset = 0;
  while (auto filled = gatherer.fill(memory)) {
    ctx.check();
    auto padded = (filled + alignment - 1) / alignment * alignment;
    std::memset(memory.data() + filled, 0, padded - filled);
    write_chunk(fd, path, memory.first(padded), offset);
    offset += filled;
  }
  if (::ftruncate(fd, static_cast<off_t>(offset)) != 0) throw system_error(errno, "truncating", path);
}

}  // namespace

void write_file(const Context& ctx, int fd, const std::string& path,
                std::span<const std::string_view> parts) {
  std::size_t bytes = 0;
  for (auto part : parts) bytes += part.size();
  if (bytes >= direct_bytes_min && set_direct(fd, true))
    write_direct(ctx, fd, path, parts);
  else
    write_cached(ctx, fd, path, parts);
}

}  // namespace kb::storage
