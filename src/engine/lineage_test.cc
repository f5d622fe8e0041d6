#include "engine/lineage.h"

#include "base/backup_id.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::engine;

namespace {

const std::string id_a(32, 'a'), id_b(32, 'b'), no_id(32, '0');

// A partition of which the base holds [100, 200) and the log now [100, 300).
struct Case {
  TopicNow topic{.name = "orders", .topic_id = id_a, .compaction = {}};
  PartitionNow now{.partition = 3,
                   .log_start_offset = 100,
                   .last_stable_offset = 300,
                   .end_offset_of_base_epoch = {},
                   .log_bytes = {}};
  std::optional<archive::CapturedPartition> base = archive::CapturedPartition{.partition = 3,
                                                                              .lineage = "old",
                                                                              .start = 100,
                                                                              .end = 200,
                                                                              .from = 150,
                                                                              .leader_epoch = 7,
                                                                              .lineage_bytes = 5000};
  std::string base_topic_id = id_a;

  archive::CapturedPartition captured() const {
    return continue_or_begin(topic, now, base, base_topic_id, "new");
  }
  // Empty when the lineage goes on.
  std::string broken() const {
    auto result = captured();
    CHECK(result.lineage == (result.lineage_reason.empty() ? base->lineage : "new"));
    return result.lineage_reason;
  }
};

// The base was captured at 1,000 ms; tombstones stay for 500 ms.
CompactionNow compaction_at(std::int64_t now_ms) {
  return {.now_ms = now_ms, .base_captured_at_ms = 1000, .delete_retention_ms = 500};
}

}  // namespace

TEST_CASE("a log that only grew goes on where the base ends") {
  auto captured = Case{}.captured();
  CHECK(captured.partition == 3);
  CHECK(captured.lineage == "old");
  CHECK(captured.lineage_reason.empty());
  CHECK(captured.start == 100);
  CHECK(captured.from == 200);
  CHECK(captured.end == 300);
  CHECK(captured.leader_epoch == 7);
  CHECK(captured.lineage_bytes == 5000);
}

TEST_CASE("without a base a lineage begins, and nothing is broken") {
  Case c;
  c.base.reset();
  auto captured = c.captured();
  CHECK(captured.lineage == "new");
  CHECK(captured.lineage_reason.empty());
  CHECK(captured.from == 100);
  CHECK(captured.leader_epoch == -1);
  CHECK(captured.lineage_bytes == 0);
}

TEST_CASE("a new lineage reads all and inherits nothing") {
  Case c;
  c.base_topic_id = id_b;
  auto captured = c.captured();
  CHECK(captured.lineage == "new");
  CHECK(captured.lineage_reason == "the topic was deleted and created again");
  CHECK(captured.start == 100);
  CHECK(captured.from == 100);
  CHECK(captured.end == 300);
  CHECK(captured.leader_epoch == -1);
  CHECK(captured.lineage_bytes == 0);
}

TEST_CASE("topic ids are compared when both are known") {
  struct {
    std::string now, base;
    bool goes_on;
  } const table[] = {{id_a, id_a, true},
                     {id_a, id_b, false},
                     {no_id, id_b, true},
                     {id_a, no_id, true},
                     {no_id, no_id, true}};
  for (const auto& row : table) {
    CAPTURE(row.now);
    CAPTURE(row.base);
    Case c;
    c.topic.topic_id = row.now;
    c.base_topic_id = row.base;
    CHECK(c.broken().empty() == row.goes_on);
  }
}

TEST_CASE("a log that starts before or ends before what is archived is another log") {
  struct {
    std::int64_t start, end;
    std::string reason;
  } const table[] = {
      {100, 200, ""},
      {99, 300, "the log starts at offset 99, before the 100 archived"},
      {0, 10, "the log starts at offset 0, before the 100 archived"},
      {100, 199, "the log ends at offset 199, before the 200 archived"},
      {150, 150, "the log ends at offset 150, before the 200 archived"},
      {150, 250, ""},
  };
  for (const auto& row : table) {
    CAPTURE(row.start);
    CAPTURE(row.end);
    Case c;
    c.now.log_start_offset = row.start;
    c.now.last_stable_offset = row.end;
    CHECK(c.broken() == row.reason);
  }
}

TEST_CASE("an epoch that ends before the base's end shows a truncation, even of a longer log") {
  Case c;
  c.now.end_offset_of_base_epoch = 200;
  CHECK(c.broken().empty());
  c.now.end_offset_of_base_epoch = 260;
  CHECK(c.broken().empty());
  c.now.end_offset_of_base_epoch = 199;
  CHECK(c.broken() == "the log was truncated to offset 199: an unclean leader election");
}

TEST_CASE("when the log start moves the set begins there, and nothing that is gone is asked for") {
  struct {
    std::int64_t start, from;
  } const table[] = {{100, 200}, {150, 200}, {200, 200}, {201, 201}, {300, 300}};
  for (const auto& row : table) {
    CAPTURE(row.start);
    Case c;
    c.now.log_start_offset = row.start;
    auto captured = c.captured();
    CHECK(captured.lineage == "old");
    CHECK(captured.start == row.start);
    CHECK(captured.from == row.from);
    CHECK(captured.end == 300);
  }
}

TEST_CASE("a log whose stable end lies before its start is empty, not negative") {
  Case c;
  c.base.reset();
  c.now.log_start_offset = 400;
  auto captured = c.captured();
  CHECK(captured.start == 400);
  CHECK(captured.from == 400);
  CHECK(captured.end == 400);
}

TEST_CASE("nothing new since the base goes on with nothing to read") {
  Case c;
  c.now.last_stable_offset = 200;
  auto captured = c.captured();
  CHECK(captured.lineage == "old");
  CHECK(captured.from == 200);
  CHECK(captured.end == 200);
}

TEST_CASE("a compacted log goes on while no tombstone can have come and gone") {
  const std::string gone = "compacted: tombstones may have come and gone since the last backup";
  struct {
    std::int64_t now_ms, end;
    std::string reason;
  } const table[] = {
      {1000, 300, ""},   {1499, 300, ""}, {1500, 300, gone},
      {9000, 300, gone}, {9000, 200, ""},  // it has not grown
  };
  for (const auto& row : table) {
    CAPTURE(row.now_ms);
    CAPTURE(row.end);
    Case c;
    c.topic.compaction = compaction_at(row.now_ms);
    c.now.last_stable_offset = row.end;
    CHECK(c.broken() == row.reason);
  }
}

TEST_CASE("a compacted log that was not read to its end yet is as old as the beginning of its lineage") {
  Case c;
  c.topic.compaction = compaction_at(0);
  c.topic.compaction->base_captured_at_ms = 0;
  c.base->lineage = "b-20250101-000000";
  const auto began_ms = time_of_backup_id(c.base->lineage)->time_since_epoch().count() * 1000;
  c.now.last_stable_offset = 300;
  c.topic.compaction->now_ms = began_ms + c.topic.compaction->delete_retention_ms - 1;
  CHECK(c.broken().empty());
  ++c.topic.compaction->now_ms;
  CHECK_FALSE(c.broken().empty());
}

TEST_CASE("delete.retention.ms of 0 never goes on with a compacted log that has grown") {
  Case c;
  c.topic.compaction = CompactionNow{.now_ms = 1000, .base_captured_at_ms = 1000, .delete_retention_ms = 0};
  CHECK(!c.broken().empty());
}

TEST_CASE("a compacted lineage begins anew when it holds more than twice what the log does") {
  struct {
    std::optional<std::uint64_t> log_bytes;
    bool goes_on;
  } const table[] = {{{}, true}, {2500, true}, {2499, false}, {0, false}, {100'000, true}};
  for (const auto& row : table) {
    CAPTURE(row.log_bytes.value_or(1));
    Case c;
    c.now.log_bytes = row.log_bytes;
    CHECK(c.broken().empty());  // without a cleaner that does not matter
    c.topic.compaction = compaction_at(1100);
    CHECK(c.broken() ==
          (row.goes_on ? "" : "compacted: the archive holds more than twice what the log does"));
  }
}

TEST_CASE("a recreated compacted topic is told as recreated") {
  Case c;
  c.base_topic_id = id_b;
  c.topic.compaction = compaction_at(9000);
  CHECK(c.broken() == "the topic was deleted and created again");
}

TEST_CASE("a topic whose configuration may not be read is read afresh once it has grown") {
  Case c;
  c.topic.compaction = compaction_at(1001);
  c.topic.compaction->settings_known = false;
  CHECK(c.broken().find("may not be read") != std::string::npos);
  c.now.last_stable_offset = 200;
  CHECK(c.broken().empty());
}
