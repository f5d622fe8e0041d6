#include "kafka/compression.h"

#include <algorithm>
#include <array>
#include <memory>

#include <fmt/format.h>
#include <isa-l/igzip_lib.h>
#include <lz4frame.h>
#include <lz4hc.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include "base/error.h"

namespace kb::kafka {
namespace {

constexpr std::array<std::string_view, 5> names{"none", "gzip", "snappy", "lz4", "zstd"};
constexpr int gzip_level_default = 6, lz4_level_default = 1, zstd_level_default = 3;

// A string that grows while a decoder writes into it, up to one byte more than allowed: the byte that proves
// that the data is too big.
class Output {
 public:
  Output(CompressionType type, std::string& out, std::size_t bytes_max, std::size_t expected)
      : type_(type), out_(out), bytes_max_(bytes_max) {
    out_.resize(std::min(expected, bytes_max_ + 1));
  }
  // Where to write next; never empty.
  char* room() {
    if (used_ == out_.size()) grow(out_.size() * 2 + 4096);
    return out_.data() + used_;
  }
  std::size_t room_bytes() const { return out_.size() - used_; }
  // Room for `bytes` more, in one piece.
  char* room_for(std::size_t bytes) {
    if (bytes > bytes_max_ - used_) too_big();
    if (room_bytes() < bytes) grow(std::max(used_ + bytes, out_.size() * 2));
    return out_.data() + used_;
  }
  void wrote(std::size_t bytes) {
    used_ += bytes;
    if (used_ > bytes_max_) too_big();
  }
  void finish() { out_.resize(used_); }

 private:
  void grow(std::size_t size) { out_.resize(std::min(size, bytes_max_ + 1)); }
  [[noreturn]] void too_big() const {
    fail(ErrorKind::corrupt, "{} data inflates to more than {} bytes", name(type_), bytes_max_);
  }

  const CompressionType type_;
  std::string& out_;
  const std::size_t bytes_max_;
  std::size_t used_ = 0;
};

[[noreturn]] void damaged(CompressionType type, std::string_view why) {
  fail(ErrorKind::corrupt, "{} data is damaged: {}", name(type), why);
}

// Inflates one gzip member and returns what follows it.
std::string_view gunzip_member(std::string_view in, Output& out) {
  thread_local const auto state = std::make_unique<inflate_state>();
  isal_inflate_init(state.get());
  state->crc_flag = ISAL_GZIP;
  state->next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(in.data()));  // ISA-L only reads it
  state->avail_in = static_cast<std::uint32_t>(in.size());
  do {
    char* room = out.room();
    const auto bytes = std::min<std::size_t>(out.room_bytes(), 1U << 30);
    state->next_out = reinterpret_cast<unsigned char*>(room);
    state->avail_out = static_cast<std::uint32_t>(bytes);
    if (const int code = isal_inflate(state.get()); code != ISAL_DECOMP_OK)
      damaged(CompressionType::gzip, fmt::format("igzip error {}", code));
    const auto wrote = bytes - state->avail_out;
    out.wrote(wrote);
    if (state->block_state != ISAL_BLOCK_FINISH && state->avail_in == 0 && wrote == 0)
      damaged(CompressionType::gzip, "truncated");
  } while (state->block_state != ISAL_BLOCK_FINISH);
  return in.substr(in.size() - state->avail_in);
}

void gunzip(std::string_view in, Output& out) {
  do {
    in = gunzip_member(in, out);
  } while (!in.empty());
}

// One raw snappy block. No block grows more than 22-fold (64 bytes out of a 3-byte copy), so that a lie about
// the size is found before memory is taken for it.
void unsnap_block(std::string_view block, Output& out) {
  std::size_t size = 0;
  if (!snappy::GetUncompressedLength(block.data(), block.size(), &size))
    damaged(CompressionType::snappy, "no block length");
  if (size / 32 > block.size()) damaged(CompressionType::snappy, "impossible block length");
  if (!snappy::RawUncompress(block.data(), block.size(), out.room_for(size)))
    damaged(CompressionType::snappy, "invalid block");
  out.wrote(size);
}

constexpr std::string_view xerial_magic{"\x82SNAPPY\0", 8};
constexpr std::string_view xerial_header{"\x82SNAPPY\0\0\0\0\1\0\0\0\1", 16};  // version 1, readable since 1
constexpr std::size_t xerial_chunk_bytes = 32 * 1024;

std::uint32_t big_endian(std::string_view four) {
  std::uint32_t value = 0;
  for (const char c : four.substr(0, 4)) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

void unsnap(std::string_view in, Output& out) {
  if (!in.starts_with(xerial_magic)) return unsnap_block(in, out);
  while (!in.empty()) {
    if (in.starts_with(xerial_magic)) {  // streams may be concatenated, each with its header
      if (in.size() < xerial_header.size()) damaged(CompressionType::snappy, "truncated header");
      in.remove_prefix(xerial_header.size());
      continue;
    }
    if (in.size() < 4) damaged(CompressionType::snappy, "truncated chunk length");
    const auto chunk = big_endian(in);
    in.remove_prefix(4);
    if (chunk > in.size()) damaged(CompressionType::snappy, "truncated chunk");
    unsnap_block(in.substr(0, chunk), out);
    in.remove_prefix(chunk);
  }
}

void snap(std::string_view in, std::string& out) {
  out.append(xerial_header);
  while (!in.empty()) {
    const auto chunk = in.substr(0, xerial_chunk_bytes);
    in.remove_prefix(chunk.size());
    const auto at = out.size();
    out.resize(at + 4 + snappy::MaxCompressedLength(chunk.size()));
    std::size_t size = 0;
    snappy::RawCompress(chunk.data(), chunk.size(), out.data() + at + 4, &size);
    for (unsigned byte = 0; byte < 4; ++byte) out[at + byte] = static_cast<char>(size >> (24 - 8 * byte));
    out.resize(at + 4 + size);
  }
}

void unlz4(std::string_view in, Output& out) {
  struct Free {
    void operator()(LZ4F_dctx* context) const { LZ4F_freeDecompressionContext(context); }
  };
  thread_local const auto context = [] {
    LZ4F_dctx* made = nullptr;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&made, LZ4F_VERSION))) throw std::bad_alloc();
    return std::unique_ptr<LZ4F_dctx, Free>(made);
  }();
  LZ4F_resetDecompressionContext(context.get());
  for (std::size_t expects = 1; expects != 0;) {
    char* room = out.room();
    std::size_t wrote = out.room_bytes(), consumed = in.size();
    expects = LZ4F_decompress(context.get(), room, &wrote, in.data(), &consumed, nullptr);
    if (LZ4F_isError(expects)) damaged(CompressionType::lz4, LZ4F_getErrorName(expects));
    in.remove_prefix(consumed);
    out.wrote(wrote);
    if (expects != 0 && in.empty() && wrote == 0) damaged(CompressionType::lz4, "truncated");
  }
  if (!in.empty()) damaged(CompressionType::lz4, "bytes follow the frame");
}

void lz4(std::string_view in, std::string& out, int level) {
  if (level < 1 || level > LZ4HC_CLEVEL_MAX) fail(ErrorKind::invalid, "lz4 has no level {}", level);
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockSizeID = LZ4F_max64KB;
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;  // Kafka's Java reader refuses linked blocks
  preferences.compressionLevel = level;
  const auto at = out.size();
  out.resize(at + LZ4F_compressFrameBound(in.size(), &preferences));
  const auto size = LZ4F_compressFrame(out.data() + at, out.size() - at, in.data(), in.size(), &preferences);
  CHECK(!LZ4F_isError(size));
  out.resize(at + size);
}

template <auto free>
struct Deleter {
  void operator()(auto* context) const { free(context); }
};

void unzstd(std::string_view in, Output& out) {
  thread_local const std::unique_ptr<ZSTD_DCtx, Deleter<ZSTD_freeDCtx>> context(ZSTD_createDCtx());
  ZSTD_DCtx_reset(context.get(), ZSTD_reset_session_only);
  const auto size = ZSTD_getFrameContentSize(in.data(), in.size());
  if (size < ZSTD_CONTENTSIZE_ERROR && ZSTD_findFrameCompressedSize(in.data(), in.size()) == in.size()) {
    const auto wrote = ZSTD_decompressDCtx(context.get(), out.room_for(size), size, in.data(), in.size());
    if (ZSTD_isError(wrote)) damaged(CompressionType::zstd, ZSTD_getErrorName(wrote));
    return out.wrote(wrote);
  }
  ZSTD_inBuffer input{in.data(), in.size(), 0};
  for (std::size_t expects = 1; expects != 0 || input.pos < input.size;) {
    char* room = out.room();
    ZSTD_outBuffer output{room, out.room_bytes(), 0};
    expects = ZSTD_decompressStream(context.get(), &output, &input);
    if (ZSTD_isError(expects)) damaged(CompressionType::zstd, ZSTD_getErrorName(expects));
    out.wrote(output.pos);
    if (expects != 0 && input.pos == input.size && output.pos == 0)
      damaged(CompressionType::zstd, "truncated");
  }
}

void zstd(std::string_view in, std::string& out, int level) {
  if (level < ZSTD_minCLevel() || level > ZSTD_maxCLevel())
    fail(ErrorKind::invalid, "zstd has no level {}", level);
  thread_local const std::unique_ptr<ZSTD_CCtx, Deleter<ZSTD_freeCCtx>> context(ZSTD_createCCtx());
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level);
  const auto at = out.size();
  out.resize(at + ZSTD_compressBound(in.size()));
  const auto size = ZSTD_compress2(context.get(), out.data() + at, out.size() - at, in.data(), in.size());
  CHECK(!ZSTD_isError(size));
  out.resize(at + size);
}

// A deflate stream that is set up once per thread and level.
class GzipStream {
 public:
  explicit GzipStream(int level) : level_(level) {
    constexpr int window_bits = 15, with_gzip_header = 16, memory_level = 8;
    if (deflateInit2(&stream_, level, Z_DEFLATED, window_bits + with_gzip_header, memory_level,
                     Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc();
  }
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;
  ~GzipStream() { deflateEnd(&stream_); }
  int level() const { return level_; }
  void compress(std::string_view in, std::string& out) {
    CHECK(deflateReset(&stream_) == Z_OK);
    const auto at = out.size();
    out.resize(at + deflateBound(&stream_, in.size()));
    stream_.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(in.data()));
    stream_.avail_in = static_cast<unsigned>(in.size());
    stream_.next_out = reinterpret_cast<unsigned char*>(out.data() + at);
    stream_.avail_out = static_cast<unsigned>(out.size() - at);
    CHECK(deflate(&stream_, Z_FINISH) == Z_STREAM_END);
    out.resize(out.size() - stream_.avail_out);
  }

 private:
  const int level_;
  z_stream stream_{};
};

void gzip(std::string_view in, std::string& out, int level) {
  if (level < Z_BEST_SPEED || level > Z_BEST_COMPRESSION)
    fail(ErrorKind::invalid, "gzip has no level {}", level);
  thread_local std::unique_ptr<GzipStream> stream;
  if (!stream || stream->level() != level) stream = std::make_unique<GzipStream>(level);
  stream->compress(in, out);
}

}  // namespace

std::string_view name(CompressionType type) {
  return names.at(static_cast<std::size_t>(type));
}

CompressionType compression_type(int id) {
  if (id < 0 || id >= static_cast<int>(names.size()))
    fail(ErrorKind::invalid, "compression type {} is unknown", id);
  return static_cast<CompressionType>(id);
}

void decompress(CompressionType type, std::string_view in, std::string& out, std::size_t bytes_max) {
  constexpr std::size_t usual_ratio = 4;
  Output output(type, out, bytes_max, type == CompressionType::none ? 0 : in.size() * usual_ratio);
  switch (type) {
    case CompressionType::none:
      in.copy(output.room_for(in.size()), in.size());
      output.wrote(in.size());
      break;
    case CompressionType::gzip:
      gunzip(in, output);
      break;
    case CompressionType::snappy:
      unsnap(in, output);
      break;
    case CompressionType::lz4:
      unlz4(in, output);
      break;
    case CompressionType::zstd:
      unzstd(in, output);
      break;
  }
  output.finish();
}

void compress(CompressionType type, std::string_view in, std::string& out, std::optional<int> level) {
  switch (type) {
    case CompressionType::none:
      out.append(in);
      break;
    case CompressionType::gzip:
      gzip(in, out, level.value_or(gzip_level_default));
      break;
    case CompressionType::snappy:
      snap(in, out);
      break;
    case CompressionType::lz4:
      lz4(in, out, level.value_or(lz4_level_default));
      break;
    case CompressionType::zstd:
      zstd(in, out, level.value_or(zstd_level_default));
      break;
  }
}

std::optional<int> strongest_level(CompressionType type) {
  switch (type) {
    case CompressionType::gzip:
      return Z_BEST_COMPRESSION;
    case CompressionType::lz4:
      return LZ4HC_CLEVEL_MAX;
    case CompressionType::zstd:
      return 19;  // above it, the memory grows more than the gain
    default:
      return {};
  }
}

}  // namespace kb::kafka
