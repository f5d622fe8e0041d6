#include "cli/locate_archive.h"

#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/temporary_directory.h"
#include "storage/open.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::cli;

namespace {

void make_archive(const std::string& path) {
  std::filesystem::create_directories(path + "/sets");
  std::ofstream(path + "/archive") << "kafka-backup-archive/1 ...";
}

api::Storage pvc(const std::string& claim, std::optional<std::string> sub_path = {}) {
  return {.storage_type = api::StorageType::pvc,
          .pvc = api::PvcStorage{.claim_name = claim, .sub_path = std::move(sub_path), .create = {}},
          .s3 = {},
          .azure = {},
          .gcs = {}};
}

api::Resource restore(std::optional<std::string> name, std::optional<api::Storage> storage = {}) {
  api::KafkaRestoreSpec spec;
  spec.backup_ref.name = std::move(name);
  spec.backup_ref.storage = std::move(storage);
  return {.api_version = {}, .kind = "KafkaRestore", .metadata = {.name = "again"}, .spec = spec};
}

api::Resource backup(const std::string& name, const api::Storage& storage) {
  api::KafkaBackupSpec spec;
  spec.storage = storage;
  return {.api_version = {}, .kind = "KafkaBackup", .metadata = {.name = name}, .spec = spec};
}

std::vector<std::string> paths_of(const std::vector<storage::Place>& places) {
  std::vector<std::string> paths;
  for (const auto& place : places) paths.push_back(place.path());
  return paths;
}

template <class Act>
ErrorKind kind_of_failure(Act act) {
  try {
    act();
  } catch (const Error& error) {
    return error.kind();
  }
  FAIL("no failure");
  return ErrorKind::internal;
}

}  // namespace

TEST_CASE("a claim is a folder of the volumes") {
  TemporaryDirectory volumes;
  std::filesystem::create_directory(volumes.path_of("c"));
  CHECK(archive_place(volumes.path(), pvc("c"), "ns", "nightly").path() == volumes.path_of("c/ns/nightly"));
  CHECK(archive_place(volumes.path(), pvc("c", "a/b"), "ns", "nightly").path() ==
        volumes.path_of("c/a/b/ns/nightly"));
  CHECK(kind_of_failure([&] { archive_place("", pvc("c"), "ns", "n"); }) == ErrorKind::invalid);
  CHECK(kind_of_failure([&] { archive_place(volumes.path(), pvc("d"), "ns", "n"); }) == ErrorKind::not_found);
  CHECK_FALSE(std::filesystem::exists(volumes.path_of("c/ns")));  // nothing is made
}

TEST_CASE("a restore finds its archive by storage, by the KafkaBackup, or by looking") {
  TemporaryDirectory volumes;
  make_archive(volumes.path_of("c/default/one"));
  make_archive(volumes.path_of("c/default/two"));
  make_archive(volumes.path_of("d/sub/default/three"));
  auto find = [&](const api::Resource& r, const std::vector<api::Resource>& backups = {}) {
    return archive_place(volumes.path(), r, backups).path();
  };
  CHECK(find(restore("one", pvc("c"))) == volumes.path_of("c/default/one"));
  CHECK(find(restore("x", pvc("c"))) == volumes.path_of("c/default/x"));  // whether it is there or not
  CHECK(find(restore({}, pvc("d"))) == volumes.path_of("d/sub/default/three"));
  CHECK(find(restore("one")) == volumes.path_of("c/default/one"));
  CHECK(find(restore("one"), {backup("one", pvc("d", "sub"))}) == volumes.path_of("d/sub/default/one"));
  CHECK(find(restore("one"), {backup("other", pvc("d"))}) == volumes.path_of("c/default/one"));
  CHECK(kind_of_failure([&] { find(restore({}, pvc("c"))); }) == ErrorKind::invalid);  // two
  CHECK(kind_of_failure([&] { find(restore("none")); }) == ErrorKind::not_found);
  CHECK(kind_of_failure([&] { archive_place("", restore("one"), {}); }) == ErrorKind::invalid);
  make_archive(volumes.path_of("d/default/one"));
  CHECK(kind_of_failure([&] { find(restore("one")); }) == ErrorKind::invalid);  // two of that name
}

TEST_CASE("archives are found sorted, whatever else is there") {
  TemporaryDirectory volumes;
  make_archive(volumes.path_of("b/ns/n"));
  make_archive(volumes.path_of("a/x/y/ns/n"));
  make_archive(volumes.path_of("a/x/y/ns/n/segments/inside"));
  make_archive(volumes.path_of(".hidden/ns/n"));
  std::filesystem::create_directories(volumes.path_of("half/ns/n/sets"));
  std::filesystem::create_directories(volumes.path_of("half/ns/n/segments"));
  std::filesystem::create_directories(volumes.path_of("none/archive"));
  std::filesystem::create_directory_symlink(volumes.path(), volumes.path_of("loop"));
  CHECK(paths_of(find_archives(volumes.path())) == std::vector<std::string>{volumes.path_of("a/x/y/ns/n"),
                                                                            volumes.path_of("b/ns/n"),
                                                                            volumes.path_of("half/ns/n")});
  CHECK(find_archives(volumes.path_of("nowhere")).empty());
}

TEST_CASE("what tenants put into a claim leads nowhere; the claim itself may be a link") {
  TemporaryDirectory outside, volumes;
  make_archive(outside.path_of("ns/n"));
  std::filesystem::create_directory(volumes.path_of("c"));
  std::filesystem::create_directory_symlink(outside.path(), volumes.path_of("c/sub"));
  std::filesystem::create_directory_symlink(outside.path(), volumes.path_of("linked"));
  auto open_at = [&](const std::string& claim, std::optional<std::string> sub_path) {
    storage::open_filesystem(archive_place(volumes.path(), pvc(claim, std::move(sub_path)), "ns", "n"));
  };
  CHECK(kind_of_failure([&] { open_at("c", "sub"); }) == ErrorKind::denied);
  CHECK(kind_of_failure([&] { open_at("c", "../linked"); }) == ErrorKind::invalid);
  open_at("linked", {});
  CHECK(kind_of_failure([&] { archive_place(volumes.path(), restore({}, pvc("c", "sub")), {}); }) ==
        ErrorKind::denied);
  CHECK(kind_of_failure([&] { archive_place(volumes.path(), restore("n"), {}); }) == ErrorKind::not_found);
  CHECK(archive_place(volumes.path(), restore({}, pvc("linked")), {}).path() ==
        volumes.path_of("linked/ns/n"));
}

TEST_CASE("flags choose archives") {
  TemporaryDirectory volumes;
  make_archive(volumes.path_of("a/default/n"));
  make_archive(volumes.path_of("b/default/n"));
  make_archive(volumes.path_of("b/prod/m"));
  auto choose = [&](ArchiveFlags flags) {
    if (flags.archive.empty()) flags.volumes = volumes.path();
    return chosen_archives(flags).size();
  };
  CHECK(choose({}) == 3);
  CHECK(choose({.claim = "b"}) == 2);
  CHECK(choose({.name = "n"}) == 2);
  CHECK(choose({.claim = "b", .name = "n"}) == 1);
  CHECK(choose({.resource_namespace = "prod"}) == 1);
  CHECK(choose({.archive = volumes.path_of("a/default/n/")}) == 1);
  CHECK(kind_of_failure([&] { choose({.name = "none"}); }) == ErrorKind::not_found);
  CHECK(kind_of_failure([&] { choose({.claim = "none"}); }) == ErrorKind::not_found);
  CHECK(kind_of_failure([&] { choose({.archive = volumes.path()}); }) == ErrorKind::not_found);
  CHECK(kind_of_failure([&] { choose({.archive = volumes.path_of("none")}); }) == ErrorKind::not_found);
  CHECK(kind_of_failure([] { chosen_archives({}); }) == ErrorKind::invalid);
  CHECK(kind_of_failure([&] { chosen_archive({.volumes = volumes.path(), .name = "n"}); }) ==
        ErrorKind::invalid);
  CHECK(chosen_archive({.volumes = volumes.path(), .name = "m"}).path() == volumes.path_of("b/prod/m"));
}
