#include <boost/json.hpp>

#include "cli/backup_result.h"
#include "cli/continuous_result.h"
#include "cli/restore_result.h"
#include "cli/result_rows.h"
#include "cli/work_report.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::cli;

namespace {

bool has(const std::string& text, std::string_view piece) {
  return text.find(piece) != std::string::npos;
}

engine::BackupReport backup_report() {
  engine::BackupReport report;
  report.resumed = true;
  auto& capture = report.set.capture;
  capture.backup_id = "nightly-20251210-020000";
  capture.base = "nightly-20251209-020000";
  capture.missing_topics = {"gone"};
  capture.topics.push_back({.name = "orders", .partitions = {{.partition = 0}, {.partition = 1}}});
  capture.topics[0].partitions[1].lineage_reason = "the topic was recreated";
  capture.groups.captured = true;
  capture.groups.groups.resize(2);
  capture.groups.groups[1].group_id = "g";
  capture.groups.groups[1].not_captured = "not authorized";
  report.set.totals = {.records = 1234567,
                       .raw_bytes = 3 << 20,
                       .stored_bytes = 1 << 20,
                       .segments = 2,
                       .aborted = 1,
                       .control = 2,
                       .compacted = 3,
                       .lost = 4};
  return report;
}

}  // namespace

TEST_CASE("what happened to the logs is told, and what is worth a look is a warning") {
  auto report = backup_report();
  report.set.capture.history =
      archive::History{{.kind = std::string(archive::history::topic_appeared), .topic = "users"},
                       {.kind = std::string(archive::history::records_lost),
                        .topic = "orders",
                        .partition = 1,
                        .from = 10,
                        .to = 14}};
  auto result = present(summarize({.name = "nightly", .namespace_name = "prod"}, report, "file:/x"));
  CHECK(has(result.text, "orders/1: offsets 10 to 13 lost"));
  CHECK(result.json.at("history").at(0) == "users: new topic");
  CHECK(result.json.at("warnings").as_array().size() == 3);
  CHECK(work_report(report).lost_offsets == 4);
}

TEST_CASE("a backup is told as text and as JSON") {
  auto result = present(summarize({.name = "nightly", .namespace_name = "prod"}, backup_report(), "file:/x"));
  for (const auto* piece : {"KafkaBackup prod/nightly: complete, resumed", "nightly-20251210-020000",
                            "file:/x", "nightly-20251209-020000", "1 with 2 partitions", "1,234,567 new",
                            "3.0 MiB of batches, 1.0 MiB stored in 2 segments",
                            "1 aborted, 2 markers, 3 compacted, 4 lost", "orders/1: the topic was recreated",
                            "topic gone does not exist", "4 offsets were deleted by retention",
                            "offsets of consumer group g are not captured: not authorized"})
    CHECK_MESSAGE(has(result.text, piece), piece << " in\n" << result.text);
  CHECK(result.json.at("kind") == "KafkaBackup");
  CHECK(result.json.at("outcome") == "committed");
  CHECK(result.json.at("records") == 1234567);
  CHECK(result.json.at("groups") == 1);
  CHECK(result.json.at("holes").at("lost") == 4);
  CHECK(result.json.at("newLineages").at(0).at("partition") == 1);
  CHECK(result.json.at("warnings").as_array().size() == 3);
}

TEST_CASE("what a backup could not capture is told with the reason") {
  auto report = backup_report();
  auto& capture = report.set.capture;
  capture.captured_at_ms = 1000;
  capture.topics[0].configs_not_captured = "not allowed on this topic";
  capture.groups.not_captured = "only some are seen";
  capture.acls = {.captured = false, .not_captured = "not allowed", .entries = {}};
  capture.client_quotas = {.captured = true, .not_captured = {}, .entries = {{}, {}}};
  capture.held_back = {
      {.topic = "orders", .partition = 1, .offset = 7, .offsets = 1200, .producer_id = 12, .hanging = true},
      {.topic = "orders", .partition = 0, .offset = 7, .offsets = 34}};
  auto result = present(summarize({.name = "n"}, report, "file:/x"));
  for (const auto* piece :
       {"configuration of topic orders is not captured: not allowed on this topic",
        "some consumer groups may be missing: only some are seen", "ACLs          not captured: not allowed",
        "quotas        2\n", "held back     1,234 offsets behind open transactions are not captured",
        "orders/1: an open transaction of producer 12 keeps 1,200 offsets from 7 on out of this backup"})
    CHECK_MESSAGE(has(result.text, piece), piece << " in\n" << result.text);
  CHECK_FALSE(has(result.text, "orders/0: an open"));
  CHECK(result.json.at("heldBackOffsets") == 1234);
  CHECK(result.json.at("clientQuotas") == "2");
  CHECK(result.json.at("acls") == "not captured: not allowed");
}

TEST_CASE("groups that were not listed are not zero groups") {
  auto report = backup_report();
  report.set.capture.groups = {.captured = false, .not_captured = "not authorized", .groups = {}};
  auto result = present(summarize({.name = "n"}, report, "file:/x"));
  CHECK(has(result.text, "groups        not captured"));
  CHECK(has(result.text, "consumer groups are not captured: not authorized"));
  CHECK(result.json.at("groupsCaptured") == false);
}

TEST_CASE("a backup that was complete already says so") {
  auto report = backup_report();
  report.outcome = engine::BackupOutcome::committed_before;
  auto result = present(summarize({.name = "n"}, report, "file:/x"));
  CHECK(has(result.text, "was complete already"));
  CHECK(result.json.at("outcome") == "committedBefore");
}

TEST_CASE("retention is told, and that it failed as a warning of a complete backup") {
  auto report = backup_report();
  report.retention = engine::RetentionReport{
      .inspected = 5, .eligible = 2, .deleted = {"a", "b"}, .reclaimed_bytes = 3 << 20};
  auto result = present(summarize({.name = "n"}, report, "file:/x"));
  CHECK(has(result.text, "retention     2 of 5 backups deleted, 3.0 MiB reclaimed"));
  CHECK(result.json.at("retention").at("deleted").as_array().size() == 2);
  CHECK(result.json.at("retention").at("reclaimedBytes") == 3 << 20);
  report.retention->dry_run = true;
  report.retention->deleted.clear();
  result = present(summarize({.name = "n"}, report, "file:/x"));
  CHECK(has(result.text, "2 of 5 backups would be deleted, 3.0 MiB could be reclaimed (dry run)"));
  report.retention->error = "denied";
  result = present(summarize({.name = "n"}, report, "file:/x"));
  CHECK(has(result.text, "complete"));
  CHECK(has(result.text, "retention was not completed: denied"));
  CHECK(result.json.at("outcome") == "committed");
  CHECK(result.json.at("retention").at("error") == "denied");
  report.retention.reset();
  result = present(summarize({.name = "n"}, report, "file:/x"));
  CHECK_FALSE(result.json.as_object().contains("retention"));
}

TEST_CASE("a shard that is done does not say complete") {
  auto report = backup_report();
  report.outcome = engine::BackupOutcome::shard_done;
  report.shard = {2, 4};
  auto result = present(summarize({.name = "n"}, report, "file:/x"));
  CHECK(has(result.text, "KafkaBackup default/n: shard 2/4 is done, nothing is committed yet, resumed"));
  CHECK_FALSE(has(result.text, "complete"));
  CHECK(result.json.at("outcome") == "shardDone");
  CHECK(result.json.at("shard") == 2);
  CHECK(result.json.at("shards") == 4);
}

namespace {

api::Resource again() {
  return {.api_version = {},
          .kind = "KafkaRestore",
          .metadata = {.name = "again"},
          .spec = api::KafkaRestoreSpec{}};
}

engine::RestoreReport restore_report(bool dry_run) {
  engine::RestoreReport report;
  if (dry_run) report.outcome = engine::RestoreOutcome::planned;
  report.plan.backup_id = "nightly-20251210-020000";
  engine::TargetTopic created{.name = "new",
                              .source_topics = {"old"},
                              .final_configs = {{"retention.ms", "1"}},
                              .load_configs = {{"retention.ms", "-1"}},
                              .retention_held = "it would delete 5 records",
                              .partitions = {{.partition = 0, .records_max = 10, .raw_bytes = 1024},
                                             {.partition = 1, .records_max = 5, .raw_bytes = 1024}}};
  auto there = created;
  there.name = "there";
  there.partitions.pop_back();
  report.plan.topics = {created, there};
  report.target.resize(2);
  report.target[1].action = engine::TargetAction::existing;
  report.target[1].partitions = 3;
  report.target[1].log_start = {{0, 5}};
  report.target[1].log_end = {{0, 12}, {1, 1}};
  report.warnings = {"the retention of topic new is held; to release it: kafka-configs.sh --alter"};
  report.records = 25;
  report.bytes = 3072;
  report.records_there = 27;
  return report;
}

}  // namespace

TEST_CASE("a restore is told with what it wrote and what is held") {
  auto result = present(summarize(again(), restore_report(false), "file:/x"));
  for (const auto* piece :
       {"KafkaRestore default/again: complete", "2 topics, 3 partitions, 25 records, 3.0 KiB",
        "25 records, 3.0 KiB", "at the target 27 records", "3 partitions with 8 offsets",
        "kafka-configs.sh --alter"})
    CHECK_MESSAGE(has(result.text, piece), piece << " in\n" << result.text);
  CHECK_FALSE(has(result.text, "Settings of topics"));
  CHECK(result.json.at("outcome") == "restored");
  CHECK(result.json.at("topics").at(1).at("action") == "append");
  CHECK(result.json.at("topics").at(0).at("finalConfigs").at("retention.ms") == "1");
}

TEST_CASE("a dry run tells the plan and that nothing was changed") {
  auto result = present(summarize(again(), restore_report(true), "file:/x"));
  for (const auto* piece :
       {"this is the plan, nothing was changed", "while it is written: retention.ms=-1",
        "afterwards: retention.ms=1", "its retention will be held: it would delete 5 records",
        "topic there has records: unless this restore wrote them"})
    CHECK_MESSAGE(has(result.text, piece), piece << " in\n" << result.text);
  CHECK_FALSE(has(result.text, "written now"));
  CHECK(result.json.at("outcome") == "planned");
}

TEST_CASE("a shard of a restore that is done does not say complete") {
  auto report = restore_report(false);
  report.outcome = engine::RestoreOutcome::shard_done;
  report.shard = {0, 3};
  auto result = present(summarize(again(), report, "file:/x"));
  CHECK(has(result.text, "KafkaRestore default/again: shard 0/3 is done, the finish is still to come"));
  CHECK_FALSE(has(result.text, "complete"));
  CHECK(result.json.at("outcome") == "shardDone");
  CHECK(result.json.at("shards") == 3);
  CHECK(result.json.at("recordsThere") == 27);
}

TEST_CASE("a continuous backup that was stopped says what it left") {
  engine::ContinuousReport report;
  CHECK(std::string(stopped(report).what()) == "stopped before there was a restore point");
  report.restore_points = 3;
  report.newest.emplace().capture.backup_id = "nightly-20251210-020000";
  report.totals = {.records = 1234, .stored_bytes = 1 << 20, .segments = 2, .lost = 5};
  const api::ObjectMeta metadata{.name = "nightly", .namespace_name = "kafka"};
  const auto result = present(summarize(metadata, report, "/archive"));
  CHECK(has(result.text, "KafkaBackup kafka/nightly: stopped"));
  CHECK(has(result.text, "3 restore points"));
  CHECK(has(result.text, "1,234 new"));
  CHECK(has(result.text, "5 offsets"));
  CHECK(result.json.at("backupId") == "nightly-20251210-020000");
  CHECK(result.json.at("outcome") == "stopped");
  CHECK(stopped(report).kind() == ErrorKind::cancelled);
  CHECK(has(stopped(report).what(), "nightly-20251210-020000 has everything"));
  report.still_open = "nightly-20251210-020100";
  CHECK_FALSE(has(stopped(report).what(), "everything"));
  CHECK(has(stopped(report).what(), "run nightly-20251210-020100 could not be closed"));
}
