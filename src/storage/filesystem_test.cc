#include "storage/filesystem.h"

#include <ctime>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/temporary_directory.h"
#include "storage/open.h"
#include "storage/store_suite.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::storage;
namespace fs = std::filesystem;

namespace {

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path) << bytes;
}

std::size_t files_in(const std::string& path) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("filesystem store") {
  TemporaryDirectory directory;
  run_store_suite([&] { return std::make_shared<FilesystemStore>(directory.path()); });
  if (fs::exists(directory.path_of(".tmp"))) CHECK(files_in(directory.path_of(".tmp")) == 0);
}

TEST_CASE("filesystem store: opened twice, one winner") {
  TemporaryDirectory directory;
  FilesystemStore one(directory.path());
  FilesystemStore other(directory.path());
  CHECK(one.put_if_absent(Context{}, "a/b", "one"));
  CHECK_FALSE(other.put_if_absent(Context{}, "a/b", "other"));
  CHECK(other.get(Context{}, "a/b") == "one");
}

TEST_CASE("filesystem store: the root") {
  TemporaryDirectory directory;
  SUBCASE("must be there") {
    try {
      FilesystemStore store(directory.path_of("missing"));
      FAIL("opened");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::not_found);
      CHECK(std::string(error.what()).find(directory.path_of("missing")) != std::string::npos);
      CHECK(error.hint() == "create it, or mount the volume there");
    }
    CHECK_FALSE(fs::exists(directory.path_of("missing")));
  }
  SUBCASE("must be a directory") {
    write_file(directory.path_of("file"), "x");
    CHECK(kind_thrown_by([&] { FilesystemStore store(directory.path_of("file")); }) == ErrorKind::invalid);
  }
  SUBCASE("may be behind a symbolic link") {
    fs::create_directory(directory.path_of("real"));
    fs::create_symlink("real", directory.path_of("link"));
    FilesystemStore store(directory.path_of("link"));
    CHECK(store.put_if_absent(Context{}, "a", "x"));
    CHECK(fs::exists(directory.path_of("real/a")));
    CHECK(store.location() == "file:" + directory.path_of("link"));
  }
  SUBCASE("is not touched by reading") {
    FilesystemStore store(directory.path());
    store.list(Context{}, "");
    store.get(Context{}, "a/b");
    store.remove(Context{}, "a/b");
    CHECK(files_in(directory.path()) == 0);
  }
  SUBCASE("is made where that is asked for") {
    auto deep = directory.path_of("new/deeper/");
    create_directories(deep);
    create_directories(deep);
    CHECK(open_filesystem(deep)->put_if_absent(Context{}, "a", "x"));
    write_file(directory.path_of("file"), "x");
    CHECK(kind_thrown_by([&] { create_directories(directory.path_of("file/below")); }) !=
          ErrorKind::internal);
  }
}

TEST_CASE("filesystem store: nothing leads out of the root") {
  TemporaryDirectory outside;
  TemporaryDirectory directory;
  write_file(outside.path_of("secret"), "secret");
  fs::create_directory_symlink(outside.path(), directory.path_of("way"));
  fs::create_symlink(outside.path_of("secret"), directory.path_of("object"));
  fs::create_symlink(outside.path_of("new"), directory.path_of("dangling"));
  FilesystemStore store(directory.path());
  const Context ctx;
  for (const std::string key : {"way/secret", "object"}) {
    CAPTURE(key);
    CHECK(kind_thrown_by([&] { store.get(ctx, key); }) == ErrorKind::denied);
    CHECK(kind_thrown_by([&] { store.get_range(ctx, key, {0, 1}); }) == ErrorKind::denied);
    CHECK(kind_thrown_by([&] { store.head(ctx, key); }) == ErrorKind::denied);
  }
  CHECK(kind_thrown_by([&] { store.put_if_absent(ctx, "way/new", "x"); }) == ErrorKind::denied);
  CHECK(kind_thrown_by([&] { store.put_if_absent(ctx, "dangling", "x"); }) == ErrorKind::conflict);
  CHECK(kind_thrown_by([&] { store.remove(ctx, "way/secret"); }) == ErrorKind::denied);
  CHECK(store.list(ctx, "").empty());
  CHECK(kind_thrown_by([&] { store.list(ctx, "way/"); }) == ErrorKind::denied);
  store.remove(ctx, "object");  // removes the link
  CHECK(fs::exists(outside.path_of("secret")));
  CHECK(files_in(outside.path()) == 1);
}

TEST_CASE("filesystem store: nothing on the way from what is trusted leads out") {
  TemporaryDirectory outside, directory;
  fs::create_directories(outside.path_of("b/c"));
  fs::create_directory(directory.path_of("claim"));
  fs::create_directory_symlink(outside.path(), directory.path_of("claim/out"));
  fs::create_directory_symlink(".", directory.path_of("claim/inside"));
  fs::create_directory_symlink(directory.path_of("claim"), directory.path_of("linked"));
  write_file(directory.path_of("claim/file"), "x");
  for (const auto* claim : {"claim", "linked"})
    for (const auto* below : {"out", "out/b", "out/b/c", "out/new", "inside", "inside/b"}) {
      CAPTURE(below);
      const Place place(directory.path_of(claim), below);
      CHECK(kind_thrown_by([&] { FilesystemStore store(place); }) == ErrorKind::denied);
      CHECK(kind_thrown_by([&] { open_filesystem_if_there(place); }) == ErrorKind::denied);
      CHECK(kind_thrown_by([&] { create_directories(place); }) == ErrorKind::denied);
    }
  try {
    create_directories(Place(directory.path_of("claim"), "out/new"));
    FAIL("made");
  } catch (const Error& error) {
    CHECK(error.what() ==
          directory.path_of("claim/out") + " is a symbolic link; archives are not looked for behind links");
  }
  CHECK(files_in(outside.path_of("b")) == 1);
  CHECK(files_in(outside.path()) == 1);
  const Place good(directory.path_of("linked"), "./new//deeper/");
  CHECK_FALSE(open_filesystem_if_there(good));
  create_directories(good);
  CHECK(open_filesystem(good)->put_if_absent(Context{}, "a", "x"));
  CHECK(open_filesystem_if_there(good)->location() == "file:" + directory.path_of("linked/new/deeper"));
  CHECK(fs::exists(directory.path_of("claim/new/deeper/a")));
  for (const auto* below : {"file", "file/b"}) {
    const Place place(directory.path_of("claim"), below);
    CHECK(kind_thrown_by([&] { open_filesystem_if_there(place); }) == ErrorKind::invalid);
    CHECK(kind_thrown_by([&] { create_directories(place); }) == ErrorKind::conflict);
  }
  for (const auto* below : {"..", "a/../b", "../linked"})
    CHECK(kind_thrown_by([&] { Place(directory.path(), below); }) == ErrorKind::invalid);
}

TEST_CASE("filesystem store: what stands where an object or a directory should be") {
  TemporaryDirectory directory;
  FilesystemStore store(directory.path());
  const Context ctx;
  CHECK(store.put_if_absent(ctx, "a", "x"));
  CHECK(kind_thrown_by([&] { store.put_if_absent(ctx, "a/b", "x"); }) == ErrorKind::conflict);
  CHECK(store.put_if_absent(ctx, "d/e", "x"));
  CHECK(kind_thrown_by([&] { store.put_if_absent(ctx, "d", "x"); }) == ErrorKind::conflict);
  store.remove(ctx, "d");
  CHECK(store.get(ctx, "d/e") == "x");
  REQUIRE(::mkfifo(directory.path_of("fifo").c_str(), 0600) == 0);
  CHECK_FALSE(store.get(ctx, "fifo").has_value());
  CHECK_FALSE(store.head(ctx, "fifo").has_value());
  CHECK(kind_thrown_by([&] { store.put_if_absent(ctx, "fifo", "x"); }) == ErrorKind::conflict);
  CHECK(kind_thrown_by([&] { store.put_if_absent(ctx, std::string(256, 'k'), "x"); }) == ErrorKind::invalid);
}

TEST_CASE("filesystem store: reserved names are neither keys nor listed") {
  TemporaryDirectory directory;
  FilesystemStore store(directory.path());
  const Context ctx;
  for (const auto* name : {".tmp", ".snapshot", "lost+found"}) {
    fs::create_directory(directory.path_of(name));
    write_file(directory.path_of(std::string(name) + "/x"), "x");
    CHECK(kind_thrown_by([&] { store.put_if_absent(ctx, std::string(name) + "/x", "x"); }) ==
          ErrorKind::invalid);
    CHECK(kind_thrown_by([&] { store.get(ctx, std::string(name) + "/x"); }) == ErrorKind::invalid);
  }
  write_file(directory.path_of("not a key"), "x");
  CHECK(store.put_if_absent(ctx, "d/.tmp", "below the root it is a name"));
  CHECK(keys_of(store.list(ctx, "")) == "d/.tmp");
}

TEST_CASE("filesystem store: old unfinished files are swept, young ones are somebody's") {
  TemporaryDirectory directory;
  fs::create_directory(directory.path_of(".tmp"));
  for (const auto* name : {"old", "young"}) write_file(directory.path_of(std::string(".tmp/") + name), "x");
  auto two_days_ago = fs::file_time_type::clock::now() - std::chrono::hours(48);
  fs::last_write_time(directory.path_of(".tmp/old"), two_days_ago);
  FilesystemStore store(directory.path());
  CHECK(store.put_if_absent(Context{}, "a", "x"));
  CHECK_FALSE(fs::exists(directory.path_of(".tmp/old")));
  CHECK(fs::exists(directory.path_of(".tmp/young")));
}

TEST_CASE("filesystem store: a file that is truncated while it is read is corrupt, not short") {
  TemporaryDirectory directory;
  FilesystemStore store(directory.path());
  CHECK(store.put_if_absent(Context{}, "a", "0123456789"));
  fs::resize_file(directory.path_of("a"), 4);
  CHECK(kind_thrown_by([&] { store.get_range(Context{}, "a", {2, 4}); }) == ErrorKind::corrupt);
  CHECK(store.get(Context{}, "a") == "0123");
}
