#include "cli/commands.h"

#include <filesystem>
#include <fstream>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "archive/layout.h"
#include "archive/sample_run.h"
#include "base/temporary_directory.h"
#include "storage/open.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::cli;
namespace sample = kb::archive::sample;

namespace {

const std::string first = "nightly-20250101-000000", second = "nightly-20250102-000000",
                  third = "nightly-20250103-000000";

// Volumes with one archive of two backups.
class Volumes {
 public:
  Volumes() : path(directory_.path_of("claim/default/nightly")) {
    storage::create_directories(path);
    cluster_ = {{.name = "orders", .partitions = {{0, 20}, {0, 10}}}};
    back_up(first);
    cluster_[0].partitions[0].end = 30;
    back_up(second);
  }
  archive::Archive open() const {
    return archive::Archive::open_or_create(
        {}, storage::open_filesystem(path),
        {.cluster_uid = "", .resource_namespace = "default", .name = "nightly"}, 1);
  }
  void back_up(const std::string& id) {
    sample::back_up({}, open(), cluster_, {.backup_id = id, .now_ms = 1735689600000});
  }
  void begin(const std::string& id) { sample::plan_once({}, open(), cluster_, id, 1, 1); }
  std::string volumes() const { return directory_.path(); }
  std::string file(const std::string& key) const { return path + "/" + key; }
  void damage(const std::string& key) const { std::ofstream(file(key), std::ios::app) << "x"; }
  ArchiveFlags where() const { return {.archive = path}; }

 private:
  TemporaryDirectory directory_;
  sample::Cluster cluster_;

 public:
  const std::string path;
};

bool has(const std::string& text, std::string_view piece) {
  return text.find(piece) != std::string::npos;
}

ErrorKind kind_of(const Outcome& outcome) {
  REQUIRE(outcome.failure);
  return outcome.failure->kind();
}

const CommonFlags quiet{.progress = "none"};

}  // namespace

TEST_CASE("list shows every archive with its backups") {
  Volumes made;
  made.begin(third);
  auto outcome = list({}, {.where = {.volumes = made.volumes()}});
  CHECK_FALSE(outcome.failure);
  for (const auto& piece :
       {made.path, first, second, std::string("2025-01-01T00:00:00Z"), "not finished: " + third})
    CHECK_MESSAGE(has(outcome.result.text, piece), piece << " in\n" << outcome.result.text);
  const auto& archive = outcome.result.json.at("archives").at(0);
  CHECK(archive.at("name") == "nightly");
  CHECK(archive.at("backups").as_array().size() == 2);
  CHECK(archive.at("backups").at(1).at("base").as_string() == first.c_str());
  CHECK(archive.at("incomplete").at(0).as_string() == third.c_str());
}

TEST_CASE("list shows what it can of a damaged archive") {
  Volumes made;
  made.damage(archive::decision_key(first));
  auto outcome = list({}, {.where = made.where()});
  CHECK(kind_of(outcome) == ErrorKind::corrupt);
  CHECK(has(outcome.result.text, "damaged: object sets/" + first));
  CHECK(outcome.result.json.at("archives").at(0).at("backups").as_array().size() == 1);
  made.damage(archive::header_key());
  outcome = list({}, {.where = made.where()});
  CHECK(kind_of(outcome) == ErrorKind::corrupt);
  CHECK(has(outcome.result.text, "damaged: object archive"));
}

TEST_CASE("describe shows a backup") {
  Volumes made;
  auto outcome = describe({}, {.where = {.volumes = made.volumes()}, .backup_id = second});
  for (const auto* piece : {"Backup nightly-20250102-000000", "Topic orders", "sample-cluster", "Indexes: 2"})
    CHECK_MESSAGE(has(outcome.result.text, piece), piece << " in\n" << outcome.result.text);
  const auto& partitions = outcome.result.json.at("statistics").at("partitions");
  CHECK(partitions.at(0).at("records") == 26);  // 30 offsets without the markers 5, 12, 19, 26
  CHECK(partitions.at(0).at("control") == 4);
  CHECK(partitions.at(1).at("records") == 9);
  CHECK_THROWS_AS(describe({}, {.where = made.where(), .backup_id = third}), Error);
  CHECK_THROWS_AS(describe({}, {.where = made.where(), .backup_id = "no id"}), Error);
}

TEST_CASE("verify gives what it found, then fails") {
  Volumes made;
  auto fine = verify({}, {.where = made.where(), .memory_bytes_max = 1 << 20}, quiet);
  CHECK_FALSE(fine.failure);
  CHECK(has(fine.result.text, "2 of 2 sound"));
  auto segment = made.open().store().list({}, archive::segments_prefix()).front().key;
  std::filesystem::remove(made.file(segment));
  auto outcome = verify({}, {.where = made.where(), .memory_bytes_max = 1 << 20}, quiet);
  CHECK(kind_of(outcome) == ErrorKind::corrupt);
  CHECK(has(outcome.result.text, "not sound: " + first));
  CHECK(has(outcome.result.text, segment + " orders/0 offsets 0 to "));
  CHECK(outcome.result.json.at("archives").at(0).at("problems").at(0).at("object").as_string() ==
        segment.c_str());
}

TEST_CASE("verify of an archive without a header is a finding") {
  Volumes made;
  std::filesystem::remove(made.file(archive::header_key()));
  auto outcome = verify({}, {.where = {.volumes = made.volumes()}, .memory_bytes_max = 1 << 20}, quiet);
  CHECK(kind_of(outcome) == ErrorKind::corrupt);
  CHECK(has(outcome.result.text, "there is no archive"));
}

TEST_CASE("prune deletes what it said it would, and not before") {
  Volumes made;
  auto flags = PruneFlags{.where = made.where(), .keep_last = 1, .dry_run = true};
  auto planned = prune({}, flags);
  CHECK(has(planned.result.text, "would delete  " + first));
  CHECK(made.open().sets({}).size() == 2);
  flags.dry_run = false;
  auto done = prune({}, flags);
  CHECK(has(done.result.text, "deleted       " + first));
  CHECK(done.result.json.at("objects") == planned.result.json.at("objects"));
  CHECK(made.open().sets({}).size() == 1);
  CHECK_FALSE(verify({}, {.where = made.where(), .memory_bytes_max = 1 << 20}, quiet).failure);
}

TEST_CASE("prune gives up unfinished runs only when asked to, and nothing when an id is wrong") {
  Volumes made;
  made.begin(third);
  CHECK(has(prune({}, {.where = made.where()}).result.text, third + "; its objects stay"));
  CHECK_THROWS_AS(
      prune({},
            {.where = made.where(), .delete_ids = {"nightly-20240101-000000"}, .abandon_incomplete = true}),
      Error);
  CHECK(made.open().catalog({}).undecided.size() == 1);
  auto planned = prune({}, {.where = made.where(), .abandon_incomplete = true, .dry_run = true});
  CHECK(has(planned.result.text, "would give up " + third));
  CHECK(made.open().catalog({}).undecided.size() == 1);
  auto done = prune({}, {.where = made.where(), .abandon_incomplete = true});
  CHECK(done.result.json.at("objects") == planned.result.json.at("objects"));
  CHECK(done.result.json.at("objects").to_number<int>() > 0);
  CHECK(made.open().catalog({}).undecided.empty());
}

TEST_CASE("a deleted id can be named again: an interrupted prune is repeated") {
  Volumes made;
  prune({}, {.where = made.where(), .delete_ids = {first}});
  CHECK_NOTHROW(prune({}, {.where = made.where(), .delete_ids = {first}}));
}

namespace {

std::string write_backup(const TemporaryDirectory& directory, const std::string& more) {
  auto path = directory.path_of("backup.yaml");
  std::ofstream(path)
      << "apiVersion: kafka.oso.sh/v1alpha1\nkind: KafkaBackup\nmetadata: {name: nightly}\nspec:\n"
         "  kafkaCluster: {bootstrapServers: ['127.0.0.1:1']}\n  topics: [a]\n"
         "  storage: {storageType: pvc, pvc: {claimName: c}}\n"
      << more;
  return path;
}

}  // namespace

TEST_CASE("a suspended backup is not run, and said so") {
  TemporaryDirectory directory;
  auto outcome =
      run({}, {.file = write_backup(directory, "  suspend: true\n"), .volumes = directory.path()}, quiet);
  CHECK_FALSE(outcome.failure);
  CHECK(has(outcome.result.text, "KafkaBackup default/nightly: suspended, nothing was done"));
  CHECK(outcome.result.json.at("resources").at(0).at("outcome") == "suspended");
  CHECK_FALSE(std::filesystem::exists(directory.path_of("c")));
}

TEST_CASE("what this version cannot do is refused before anything is done") {
  TemporaryDirectory directory;
  std::filesystem::create_directory(directory.path_of("c"));
  auto file = write_backup(directory, "  includeOffsetHeaders: true\n");
  CHECK_THROWS_AS(run({}, {.file = file, .volumes = directory.path()}, quiet), Error);
  CHECK(std::filesystem::is_empty(directory.path_of("c")));
}

TEST_CASE("a stopped run says how to go on") {
  TemporaryDirectory directory;
  std::filesystem::create_directory(directory.path_of("c"));
  std::stop_source stop;
  stop.request_stop();
  auto outcome =
      run({.stop = stop.get_token()},
          {.file = write_backup(directory, ""), .volumes = directory.path(), .memory_bytes_max = 16 << 20},
          quiet);
  CHECK(kind_of(outcome) == ErrorKind::cancelled);
  CHECK(has(outcome.failure->what(), "KafkaBackup nightly"));
  CHECK(has(outcome.failure->hint(), "go on"));
}
