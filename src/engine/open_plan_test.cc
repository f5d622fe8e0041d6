#include "engine/open_plan.h"

#include "archive/sample_open_run.h"
#include "engine/open_runs.h"
#include "storage/memory.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::engine;
namespace sample = kb::archive::sample;

namespace {

const std::string first = "nightly-20250101-000000", second = "nightly-20250102-000000";
const std::string id_a(32, 'a');

archive::Capture capture_of(std::vector<archive::CapturedPartition> partitions) {
  return {.backup_id = first,
          .captured_at_ms = 5,
          .topics = {{.name = "orders", .topic_id = id_a, .partitions = std::move(partitions)}}};
}

Base base_of(std::vector<archive::CapturedPartition> partitions) {
  return {.set = {.capture = capture_of(std::move(partitions))}, .sha256 = "sha"};
}

archive::Index index_of(std::vector<archive::Block> blocks) {
  archive::Index index;
  index.streams[{"orders", 0, first}] = std::move(blocks);
  return index;
}

}  // namespace

TEST_CASE("a run is opened where its base ends; the archive keeps what the log let go") {
  Asked asked{.chosen = {},
              .plan = {.capture = capture_of(
                           {{.partition = 0, .lineage = first, .start = 50, .end = 120, .from = 100},
                            {.partition = 1, .lineage = second, .start = 7, .end = 9, .from = 7}})}};
  asked.plan.capture.backup_id = second;
  const auto base = base_of(
      {{.partition = 0, .lineage = first, .start = 10, .end = 110, .leader_epoch = 4, .lineage_bytes = 99}});
  auto opening = make_opening(asked, base, {});
  CHECK(opening.capture.base == first);
  CHECK(opening.capture.base_sha256 == "sha");
  const auto& partitions = opening.capture.topics[0].partitions;
  CHECK(partitions[0].start == 10);
  CHECK(partitions[0].from == 110);
  CHECK(partitions[0].end == 110);
  CHECK(partitions[0].leader_epoch == 4);
  CHECK(partitions[0].lineage_bytes == 99);
  CHECK(partitions[1].from == 7);
  CHECK(partitions[1].end == 7);
  // maxAgeDays raises the bound, never behind the end.
  opening = make_opening(asked, base, {{{"orders", 0, first}, 60}});
  CHECK(opening.capture.topics[0].partitions[0].start == 60);
  opening = make_opening(asked, base, {{{"orders", 0, first}, 600}});
  CHECK(opening.capture.topics[0].partitions[0].start == 110);
}

TEST_CASE("what a run holds has the epochs and sizes of what it stored") {
  archive::Plan opening{.capture = capture_of({{.partition = 0,
                                                .lineage = first,
                                                .end = 10,
                                                .from = 10,
                                                .leader_epoch = 2,
                                                .lineage_bytes = 5}})};
  const auto held = held_by(
      opening, index_of({{.first_offset = 10, .next_offset = 14, .leader_epoch = 3, .raw_bytes = 70}}));
  const auto& p = held.capture.topics[0].partitions[0];
  CHECK(p.end == 14);
  CHECK(p.leader_epoch == 3);
  CHECK(p.lineage_bytes == 75);
}

TEST_CASE("a capture covers what the logs had when it has all of every stream") {
  const auto asked = capture_of({{.partition = 0, .lineage = first, .end = 10},
                                 {.partition = 1, .lineage = second, .start = 10, .end = 10}});
  CHECK(covers(capture_of({{.partition = 0, .lineage = first, .end = 10}}), asked));
  CHECK_FALSE(covers(capture_of({{.partition = 0, .lineage = first, .end = 9}}), asked));
  // One that is not followed yet.
  CHECK_FALSE(covers(capture_of({{.partition = 1, .lineage = second, .start = 10, .end = 10}}), asked));
}

TEST_CASE("a topic that vanished is named") {
  const auto opened = capture_of({{.partition = 0}});
  CHECK(vanished_topic({.topics = {{.name = "orders"}}, .missing = {}}, opened).empty());
  CHECK(vanished_topic({.topics = {{.name = "audit"}}, .missing = {}}, opened) == "orders");
}

TEST_CASE("an opening claims no more than its base, and leaves what was lost to who reads") {
  Asked asked{.chosen = {}, .plan = {.capture = capture_of({{.partition = 0, .lineage = first, .end = 9}})}};
  asked.plan.capture.captured_at_ms = 77;
  asked.plan.capture.history = {{.kind = std::string(archive::history::records_lost), .topic = "orders"},
                                {.kind = std::string(archive::history::topic_appeared), .topic = "audit"}};
  const auto opening = make_opening(asked, base_of({{.partition = 0, .lineage = first, .end = 5}}), {});
  CHECK(opening.capture.captured_at_ms == 5);
  REQUIRE(opening.capture.history->size() == 1);
  CHECK(opening.capture.history->front().topic == "audit");
  CHECK(make_opening(asked, std::nullopt, {}).capture.captured_at_ms == 0);
}

TEST_CASE("topics are others when one came, went, was made anew or got partitions") {
  kafka::MetadataResponse::Topic topic{.name = "orders", .partitions = {{.partition_index = 0}}};
  topic.topic_id.fill(0xaa);
  const auto opened = capture_of({{.partition = 0}});
  CHECK_FALSE(are_other_topics({.topics = {topic}, .missing = {}}, opened));
  CHECK(are_other_topics({}, opened));
  auto other = topic;
  other.topic_id.fill(1);
  CHECK(are_other_topics({.topics = {other}, .missing = {}}, opened));
  other = topic;
  other.partitions.push_back({.partition_index = 1});
  CHECK(are_other_topics({.topics = {other}, .missing = {}}, opened));
}

TEST_CASE("a restore point says something new without records: groups, settings, the first one") {
  const auto base = base_of({{.partition = 0, .lineage = first}});
  auto now = base.set.capture;
  CHECK(says_something_new(now, std::nullopt));
  CHECK_FALSE(says_something_new(now, base));
  now.captured_at_ms = 99;
  CHECK_FALSE(says_something_new(now, base));
  now.groups.groups.push_back({.group_id = "g"});
  CHECK(says_something_new(now, base));
  now = base.set.capture;
  now.topics[0].configs = {{"retention.ms", "5"}};
  CHECK(says_something_new(now, base));
}

TEST_CASE("age raises a start block by block, not of compacted topics") {
  auto base = base_of({{.partition = 0, .lineage = first, .start = 0, .end = 40}});
  const auto index = index_of({{.first_offset = 0, .next_offset = 10, .max_timestamp = 100},
                               {.first_offset = 10, .next_offset = 20, .max_timestamp = 300},
                               {.first_offset = 20, .next_offset = 50, .max_timestamp = 200}});
  const archive::StreamId stream{"orders", 0, first};
  CHECK(starts_without_older(base.set, index, 50).empty());
  CHECK(starts_without_older(base.set, index, 250).at(stream) == 10);
  CHECK(starts_without_older(base.set, index, 1000).at(stream) == 40);
  base.set.capture.topics[0].compacted = true;
  CHECK(starts_without_older(base.set, index, 1000).empty());
}

TEST_CASE("what a killed continuous backup had stored becomes a restore point without a cluster") {
  auto store = std::make_shared<storage::MemoryStore>();
  auto archive = archive::Archive::open_or_create({}, store, {.name = "nightly"}, 0);
  sample::Cluster cluster{{.name = "orders", .partitions = {{0, 9}}}};
  auto run = *sample::open_after_newest({}, archive, cluster, first, 7);
  sample::follow_once({}, archive, cluster, run, {});
  settle_open_runs({}, archive);
  CHECK(archive.set({}, first).capture.topics[0].partitions[0].end == 9);
  sample::open_after_newest({}, archive, cluster, second, 8);
  settle_open_runs({}, archive);
  CHECK(archive.decision({}, second)->abandoned == "it was stopped before anything was stored");
  settle_open_runs({}, archive);
  CHECK(archive.newest_set({})->capture.backup_id == first);
}
