#include <csignal>
#include <filesystem>
#include <string>

#include <sys/resource.h>

#include "base/temporary_directory.h"
#include "failing_fsync.h"
#include "storage/file_writer.h"
#include "storage/filesystem.h"
#include "storage/open.h"
#include "storage/store_suite.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::storage;
namespace fs = std::filesystem;

namespace {

// Faults in one directory, as long as this lives.
class Faults {
 public:
  Faults(const char* plan, const TemporaryDirectory& directory) {
    failing_fsync_arm(plan, directory.path().c_str());
  }
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;
  ~Faults() { failing_fsync_arm("", ""); }
};

struct Store {
  Store() { CHECK(store.put_if_absent(Context{}, "first", "makes .tmp and probes")); }
  bool nothing_unfinished() const { return fs::is_empty(directory.path_of(".tmp")); }

  TemporaryDirectory directory;
  FilesystemStore store{directory.path()};
};

constexpr std::size_t large_bytes = 3 * direct_bytes_min + 4096 + 7;  // written directly, in two chunks

std::string content_of(std::size_t bytes) {
  std::string content(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) content[i] = static_cast<char>((i * 2654435761U) >> 24);
  return content;
}

Error error_of_put(ObjectStore& store, const std::string& key, std::string_view bytes) {
  try {
    store.put_if_absent(Context{}, key, bytes);
  } catch (const Error& error) {
    return error;
  }
  return {ErrorKind::internal, "nothing was thrown"};
}

}  // namespace

TEST_CASE("faults: an object whose content cannot be synced does not appear") {
  Store s;
  {
    Faults faults("fsync:1:EIO", s.directory);
    auto error = error_of_put(s.store, "a/b", "bytes");
    CHECK(error.kind() == ErrorKind::corrupt);
    CHECK(error.what() == "syncing " + s.directory.path_of("a/b") + ": Input/output error");
  }
  CHECK_FALSE(s.store.get(Context{}, "a/b").has_value());
  CHECK(s.nothing_unfinished());
  CHECK(s.store.put_if_absent(Context{}, "a/b", "bytes"));
}

TEST_CASE("faults: when the directory cannot be synced the put fails and the object stays whole") {
  Store s;
  Faults faults("fsync:2:EIO", s.directory);
  auto error = error_of_put(s.store, "b", "bytes");
  CHECK(error.kind() == ErrorKind::corrupt);
  CHECK(error.what() == "syncing the directory of " + s.directory.path_of("b") + ": Input/output error");
  CHECK(s.store.get(Context{}, "b") == "bytes");
  CHECK_FALSE(s.store.put_if_absent(Context{}, "b", "bytes"));  // and this one has synced it
}

TEST_CASE("faults: a loser's directory is synced too, because it will build on what it found") {
  Store s;
  Faults faults("fsync:2:EIO", s.directory);
  CHECK(error_of_put(s.store, "first", "x").kind() == ErrorKind::corrupt);
}

TEST_CASE("faults: a new directory that cannot be synced") {
  Store s;
  Faults faults("fsync:2:EIO", s.directory);
  CHECK(error_of_put(s.store, "new/b", "bytes").kind() == ErrorKind::corrupt);
  CHECK_FALSE(s.store.get(Context{}, "new/b").has_value());
}

TEST_CASE("faults: a full disk ends at once, says where and what to do, and leaves nothing") {
  for (const std::size_t bytes : {std::size_t{10}, large_bytes})
    for (const std::string plan :
         {"write:1:ENOSPC", "write:2+:ENOSPC,write:1:SHORT", "fsync:1:ENOSPC", "write:1:EDQUOT"}) {
      CAPTURE(bytes);
      CAPTURE(plan);
      Store s;
      auto store = open_filesystem(s.directory.path());
      auto content = content_of(bytes);
      REQUIRE(store->put_if_absent(Context{}, "second", ""));
      {
        Faults faults(plan.c_str(), s.directory);
        auto error = error_of_put(*store, "full/disk", content);
        CHECK(error.kind() == ErrorKind::denied);
        CHECK(std::string(error.what()).starts_with("writing object full/disk: "));
        CHECK(std::string(error.what()).find(s.directory.path_of("full/disk: ")) != std::string::npos);
        CHECK(error.hint() == "free or add space on the volume, then run again: what is stored stays");
      }
      CHECK_FALSE(store->head(Context{}, "full/disk").has_value());
      CHECK(s.nothing_unfinished());
      CHECK(store->put_if_absent(Context{}, "full/disk", content));
    }
}

TEST_CASE("faults: interrupted and short writes are continued") {
  Store s;
  Faults faults("write:1:EINTR,write:1+:SHORT", s.directory);
  std::vector<std::string> owned;
  std::string whole;
  for (std::size_t i = 0; i < 150; ++i) {
    owned.emplace_back(i % 7, static_cast<char>('a' + i % 26));
    whole += owned.back();
  }
  std::vector<std::string_view> parts(owned.begin(), owned.end());
  CHECK(s.store.put_if_absent(Context{}, "short", parts));
  CHECK(s.store.get(Context{}, "short") == whole);
}

TEST_CASE("faults: large objects are whole whatever becomes of direct writes") {
  auto content = content_of(large_bytes);
  std::vector<std::string_view> parts{"", std::string_view(content).substr(0, 4097),
                                      std::string_view(content).substr(4097, 1), "",
                                      std::string_view(content).substr(4098)};
  for (const std::string plan : {"", "write:1+:SHORT", "write:1:EINTR,write:2:SHORT", "write:1:EINVAL",
                                 "write:3:SHORT,write:4:EINVAL", "write:2:EINVAL,write:3+:SHORT"}) {
    CAPTURE(plan);
    Store s;
    Faults faults(plan.c_str(), s.directory);
    CHECK(s.store.put_if_absent(Context{}, "large", parts));
    CHECK(s.store.get(Context{}, "large") == content);
  }
}

TEST_CASE("faults: a file system that refuses every form of a large write") {
  Store s;
  Faults faults("write:1+:EINVAL", s.directory);
  CHECK(error_of_put(s.store, "large", content_of(large_bytes)).kind() == ErrorKind::invalid);
  CHECK(s.nothing_unfinished());
}

TEST_CASE("faults: a limit within a block ends a large write") {
  Store s;
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  auto handler = ::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{2'500'001, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  auto error = error_of_put(s.store, "large", content_of(large_bytes));
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  CHECK(error.kind() == ErrorKind::denied);
  CHECK(error.hint() == "raise the limit of the file size");
  CHECK_FALSE(s.store.head(Context{}, "large").has_value());
  CHECK(s.nothing_unfinished());
}

TEST_CASE("faults: what passes by itself is retried") {
  Store s;
  RetryPolicy quick{std::chrono::microseconds(1), std::chrono::microseconds(1), std::chrono::hours(1)};
  auto store = open_filesystem(s.directory.path(), quick);
  Faults faults("write:1:ESTALE", s.directory);
  CHECK(store->put_if_absent(Context{}, "a", "x"));
  CHECK(store->get(Context{}, "a") == "x");
}

TEST_CASE("faults: a link that was made and reported as refused is still ours") {
  Store s;
  Faults faults("link:1:EEXIST:after", s.directory);
  CHECK(s.store.put_if_absent(Context{}, "a", "x"));
  CHECK_FALSE(s.store.put_if_absent(Context{}, "a", "x"));
}

TEST_CASE("faults: a directory that others remove meanwhile is made again, not for ever") {
  Store s;
  {
    Faults faults("link:1:ENOENT", s.directory);
    CHECK(s.store.put_if_absent(Context{}, "gone/a", "x"));
  }
  Faults faults("link:1+:ENOENT", s.directory);
  CHECK(error_of_put(s.store, "gone/b", "x").kind() == ErrorKind::conflict);
  CHECK(s.nothing_unfinished());
}

TEST_CASE("faults: a file system without hard links") {
  TemporaryDirectory directory;
  Faults faults("link:1+:EPERM", directory);
  run_store_suite([&] { return std::make_shared<FilesystemStore>(directory.path()); });
  if (fs::exists(directory.path_of(".tmp"))) CHECK(fs::is_empty(directory.path_of(".tmp")));
}

TEST_CASE("faults: a file system that cannot create only when absent is refused") {
  TemporaryDirectory directory;
  FilesystemStore store(directory.path());
  Faults faults("link:1+:EPERM,rename:1+:EINVAL", directory);
  auto error = error_of_put(store, "a", "x");
  CHECK(error.kind() == ErrorKind::invalid);
  CHECK(error.what() ==
        "the file system of " + directory.path() + " cannot create a file only when it is absent");
  CHECK_FALSE(store.head(Context{}, "a").has_value());
  CHECK(fs::is_empty(directory.path_of(".tmp")));
}

TEST_CASE("faults: a full disk is not taken for a file system without links") {
  TemporaryDirectory directory;
  FilesystemStore store(directory.path());
  {
    Faults faults("link:1:ENOSPC", directory);
    CHECK(error_of_put(store, "a", "x").kind() == ErrorKind::denied);
  }
  CHECK(store.put_if_absent(Context{}, "a", "x"));
}

TEST_CASE("faults: a way that says yes a second time is not used") {
  TemporaryDirectory directory;
  {
    FilesystemStore store(directory.path());
    Faults faults("link:2:OK,rename:2:OK", directory);
    CHECK(error_of_put(store, "a", "x").kind() == ErrorKind::invalid);
  }
  FilesystemStore store(directory.path());
  Faults faults("link:2:OK,link:3+:EIO", directory);  // only rename is left
  CHECK(store.put_if_absent(Context{}, "a", "x"));
  CHECK_FALSE(store.put_if_absent(Context{}, "a", "y"));
}
