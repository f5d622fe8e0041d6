#include <chrono>
#include <map>

#include <fmt/core.h>

#include "fill.h"
#include "kafka_reader.h"

namespace tool {
namespace {

// `count` ordinary records in batches of exactly `batch` (the last may be smaller).
void produce_batches(const Fill& fill, const std::string& topic, std::int32_t partition, int count, int batch,
                     const char* codec) {
  Producer producer(fill.bootstrap, {{"compression.type", codec},
                                     {"batch.num.messages", std::to_string(batch)},
                                     {"linger.ms", "60000"},
                                     {"message.timeout.ms", "120000"}});
  Random random = fill.random(fmt::format("{}-{}", topic, partition));
  for (int i = 1; i <= count; i++) {
    producer.produce(topic, partition, ordinary_record(random, base_timestamp_ms + i));
    if (i % batch == 0) producer.flush();
  }
  producer.flush();
}

void trimmed(const Fill& fill) {
  std::string topic = fill.topic("trimmed");
  Admin admin(fill.bootstrap);
  admin.create_topic(topic, 4, {{"retention.ms", "-1"}});
  produce_batches(fill, topic, 0, 1000, 100, "lz4");
  admin.delete_records(topic, 0, 250);
  produce_batches(fill, topic, 1, 1000, 100, "none");
  admin.delete_records(topic, 1, 199);  // one record of the batch is left
  produce_batches(fill, topic, 2, 300, 100, "zstd");
  admin.delete_records(topic, 2, 200);  // between two batches
  produce_batches(fill, topic, 3, 300, 100, "gzip");
  admin.delete_records(topic, 3, 300);  // nothing is left
}

void one_record_batches(const Fill& fill) {
  std::string topic = fill.topic("one-record-batches");
  Admin(fill.bootstrap).create_topic(topic, 3, {{"retention.ms", "604800000000"}});
  for (const char* codec : {"none", "snappy"}) {
    Producer producer(fill.bootstrap,
                      {{"compression.type", codec}, {"linger.ms", "0"}, {"batch.num.messages", "1"}});
    Random random = fill.random(topic);
    for (std::int64_t i = 0; i < fill.scaled(2000); i++) {
      producer.produce(topic, static_cast<std::int32_t>(i % 3),
                       ordinary_record(random, base_timestamp_ms + i));
    }
    producer.flush();
  }
}

constexpr std::int64_t segment_ms = 1000;
constexpr const char* tick_key = "tick";

// Rolls the segment: the cleaner leaves the active one alone. The roll is by the records' own timestamps, and
// those of transaction markers are the present time.
void tick(const Fill& fill, const std::string& topic, std::int32_t partition, std::int64_t timestamp_ms) {
  Producer producer(fill.bootstrap, {{"linger.ms", "0"}});
  producer.produce(topic, partition, {tick_key, std::to_string(timestamp_ms), {}, timestamp_ms});
  producer.flush();
}

struct KeysSeen {
  bool twice = false;
  int tombstones = 0;
};

// What a reader finds for the keys other than tick.
KeysSeen read_keys(const Fill& fill, const std::string& topic, std::int32_t partition) {
  Reader reader(fill.bootstrap, "read_committed");
  auto bounds = reader.bounds({topic});
  bounds = {bounds.at(static_cast<std::size_t>(partition))};
  KeysSeen seen;
  std::map<std::string, int> counts;
  reader.read(bounds, [&](std::size_t, const rd_kafka_message_t& message) {
    std::string key(static_cast<const char*>(message.key), message.key_len);
    if (key == tick_key) return;
    seen.twice |= ++counts[key] > 1;
    seen.tombstones += message.payload == nullptr ? 1 : 0;
  });
  return seen;
}

// Until no key is there twice (and, where asked, no tombstone is left); ticks go on, as a cleaner only works
// on a log that grows.
void wait_cleaned(const Fill& fill, const std::string& topic, std::int32_t partition, bool tombstones_too) {
  auto now = std::chrono::system_clock::now().time_since_epoch();
  std::int64_t timestamp_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  int rounds = 0;
  wait_for("the cleaner of " + topic, std::chrono::seconds(180), [&] {
    if (rounds++ % 10 == 0) tick(fill, topic, partition, timestamp_ms += 2 * segment_ms);
    KeysSeen seen = read_keys(fill, topic, partition);
    return !seen.twice && (!tombstones_too || seen.tombstones == 0);
  });
}

constexpr const char* ten_years_ms = "315360000000";

Settings compact_settings(const char* delete_retention_ms, const char* min_lag_ms = "0") {
  return {{"cleanup.policy", "compact"},          {"segment.ms", std::to_string(segment_ms)},
          {"min.cleanable.dirty.ratio", "0.001"}, {"delete.retention.ms", delete_retention_ms},
          {"min.compaction.lag.ms", min_lag_ms},  {"retention.ms", "-1"}};
}

void produce_keys(const Fill& fill, const std::string& topic, std::int32_t partition,
                  const Settings& settings) {
  Random random = fill.random(fmt::format("{}-{}", topic, partition));
  Producer producer(fill.bootstrap, settings);
  for (std::int64_t i = 0; i < fill.scaled(3000); i++) {
    Bytes value = random.one_in(4) ? Bytes() : random.text(random.below(300));
    producer.produce(topic, partition,
                     {fmt::format("key-{}", random.below(150)), value, {}, base_timestamp_ms + i});
    if (i % 100 == 99) producer.flush();
  }
  producer.flush();
}

// The cleaner removes aborted records, and leaves markers and empty batches for a while.
void produce_keys_in_transactions(const Fill& fill, const std::string& topic, std::int32_t partition) {
  Random random = fill.random(topic + "-transactions");
  Producer producer = transactional_producer(fill, "tx-compacted");
  for (std::int64_t i = 0; i < fill.scaled(20); i++) {
    producer.begin();
    for (int n = 0; n < 30; n++) {
      Bytes value = random.one_in(4) ? Bytes() : random.text(random.below(300));
      Record record{fmt::format("key-{}", random.below(60)), value, {}, base_timestamp_ms + i};
      producer.produce(topic, partition, record);
    }
    i % 3 == 2 ? producer.abort() : producer.commit();
  }
}

// The same few keys from two producers: the cleaner keeps the last batch of an idempotent one for its
// sequence numbers, though no record is left in the first one's.
void produce_empty_batch(const Fill& fill, const std::string& topic, std::int32_t partition) {
  for (const char* value : {"replaced", "kept"}) {
    Producer producer(fill.bootstrap, {{"linger.ms", "100"}, {"enable.idempotence", "true"}});
    for (int i = 0; i < 10; i++) {
      producer.produce(topic, partition, {fmt::format("key-{}", i), value, {}, base_timestamp_ms + 10'000});
    }
    producer.flush();
  }
}

// Partition 0 from a plain producer, 1 with an empty batch, 2 of one-record batches, 3 of transactions.
void compacted(const Fill& fill) {
  std::string topic = fill.topic("compacted");
  Admin(fill.bootstrap).create_topic(topic, 4, compact_settings("86400000"));
  produce_keys(fill, topic, 0, {{"linger.ms", "20"}});
  produce_keys(fill, topic, 1, {{"linger.ms", "20"}, {"compression.type", "lz4"}});
  produce_empty_batch(fill, topic, 1);
  produce_keys(fill, topic, 2, {{"linger.ms", "0"}, {"batch.num.messages", "1"}});
  produce_keys_in_transactions(fill, topic, 3);
  for (std::int32_t partition = 0; partition < 4; partition++) wait_cleaned(fill, topic, partition, false);
  // From now on the cleaner leaves it, and a copy of it, as it is.
  Admin(fill.bootstrap).alter_topic(topic, compact_settings("86400000", ten_years_ms));
  if (read_keys(fill, topic, 0).tombstones == 0) throw std::runtime_error("no tombstone is left in " + topic);
}

constexpr int vanishing_keys = 20;

void vanishing(const Fill& fill) {
  std::string topic = fill.topic("vanishing");
  Admin(fill.bootstrap).create_topic(topic, 1, compact_settings("100"));
  Producer producer(fill.bootstrap, {{"linger.ms", "20"}});
  for (int i = 0; i < vanishing_keys; i++) {
    producer.produce(topic, 0, {fmt::format("key-{}", i), "written once", {}, base_timestamp_ms + i});
  }
  producer.flush();
}

// Run after `vanishing` and, for example, a backup: deletes every second key and waits until nothing tells of
// it.
void vanish(const Fill& fill) {
  std::string topic = fill.topic("vanishing");
  {
    Producer producer(fill.bootstrap, {{"linger.ms", "20"}});
    for (int i = 0; i < vanishing_keys; i += 2) {
      producer.produce(topic, 0, {fmt::format("key-{}", i), std::nullopt, {}, base_timestamp_ms + 100 + i});
    }
    producer.flush();
  }
  wait_cleaned(fill, topic, 0, true);
}

void empty(const Fill& fill) {
  Admin(fill.bootstrap).create_topic(fill.topic("empty"), 3, {{"cleanup.policy", "compact,delete"}});
}

void sparse(const Fill& fill) {
  std::string topic = fill.topic("sparse");
  Admin(fill.bootstrap).create_topic(topic, 12, {{"segment.bytes", "16777216"}});
  Producer producer(fill.bootstrap);
  Random random = fill.random(topic);
  for (std::int64_t i = 0; i < fill.scaled(100); i++) {
    producer.produce(topic, i % 3 == 0 ? 10 : 3, ordinary_record(random, base_timestamp_ms + i));
  }
  producer.flush();
}

void many(const Fill& fill) {
  Admin admin(fill.bootstrap);
  Producer producer(fill.bootstrap);
  Random random = fill.random("many");
  for (std::int64_t i = 0; i < fill.scaled(50); i++) {
    std::string topic = fill.topic(fmt::format("many-{:04}", i));
    admin.create_topic(topic, 1, {});
    for (std::uint64_t n = random.below(4); n > 0; n--)
      producer.produce(topic, 0, ordinary_record(random, base_timestamp_ms));
  }
  producer.flush();
}

void names(const Fill& fill) {
  Admin admin(fill.bootstrap);
  Producer producer(fill.bootstrap);
  for (std::string name : {"Name.with_all-Kinds", "name-of-249-characters-"}) {
    std::string topic = fill.topic(name);
    if (name.ends_with('-')) topic.resize(249, 'x');
    admin.create_topic(topic, 1, {});
    producer.produce(topic, 0, {"k", "v", {}, base_timestamp_ms});
  }
  producer.flush();
}

constexpr Scenario scenarios[] = {
    {"trimmed", "log starts inside a batch, between batches and at the end", trimmed},
    {"one-record-batches", "linger 0, a batch for every record", one_record_batches},
    {"compacted", "a compacted topic with tombstones, after cleaning", compacted},
    {"vanishing", "a compacted topic whose tombstones go at once", vanishing},
    {"vanish", "deletes keys of `vanishing` until no tombstone is left", vanish, false},
    {"empty", "three partitions that never had a record", empty},
    {"sparse", "12 partitions of which 2 are used", sparse},
    {"many", "50 small topics", many},
    {"names", "all characters a topic name may have, and the longest name", names},
};
}  // namespace

std::span<const Scenario> log_scenarios() {
  return scenarios;
}

}  // namespace tool
