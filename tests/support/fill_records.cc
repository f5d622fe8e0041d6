#include <limits>

#include <fmt/core.h>

#include "fill.h"

namespace tool {
namespace {

void codecs(const Fill& fill) {
  for (const char* codec : {"none", "gzip", "snappy", "lz4", "zstd"}) {
    std::string topic = fill.topic(fmt::format("codec-{}", codec));
    Admin(fill.bootstrap).create_topic(topic, 3, {{"retention.ms", "-1"}});
    Producer producer(fill.bootstrap, {{"compression.type", codec}, {"linger.ms", "50"}});
    Random random = fill.random(topic);
    for (std::int64_t i = 0; i < fill.scaled(3000); i++) {
      producer.produce(topic, static_cast<std::int32_t>(random.below(3)),
                       ordinary_record(random, base_timestamp_ms + i));
    }
    producer.flush();
  }
}

// One partition whose batches come from five producers with a codec each.
void mixed_codecs(const Fill& fill) {
  std::string topic = fill.topic("codecs-mixed");
  Admin(fill.bootstrap).create_topic(topic, 1, {{"retention.ms", "-1"}});
  Random random = fill.random(topic);
  std::int64_t timestamp_ms = base_timestamp_ms;
  for (std::int64_t round = 0; round < fill.scaled(4); round++) {
    for (const char* codec : {"zstd", "none", "lz4", "snappy", "gzip"}) {
      Producer producer(fill.bootstrap, {{"compression.type", codec}, {"linger.ms", "20"}});
      for (int i = 0; i < 40; i++) producer.produce(topic, 0, ordinary_record(random, timestamp_ms++));
      producer.flush();
    }
  }
}

void nulls(const Fill& fill) {
  std::string topic = fill.topic("nulls");
  Admin(fill.bootstrap).create_topic(topic, 1, {});
  Producer producer(fill.bootstrap);
  const std::vector<Bytes> choices = {std::nullopt, "", "x"};
  const std::vector<std::vector<Header>> headers = {
      {}, {{"h", std::nullopt}}, {{"h", ""}}, {{"h", "x"}}, {{"", std::nullopt}, {"", ""}, {"", "x"}}};
  std::int64_t timestamp_ms = base_timestamp_ms;
  for (const Bytes& key : choices) {
    for (const Bytes& value : choices) {
      for (const auto& each : headers) producer.produce(topic, 0, {key, value, each, timestamp_ms++});
    }
  }
  producer.flush();
}

void headers(const Fill& fill) {
  std::string topic = fill.topic("headers");
  Admin(fill.bootstrap).create_topic(topic, 1, {});
  Producer producer(fill.bootstrap, {{"compression.type", "lz4"}, {"linger.ms", "20"}});
  Random random = fill.random(topic);
  auto produce = [&](std::vector<Header> headers) {
    producer.produce(topic, 0, {"k", "v", std::move(headers), base_timestamp_ms});
  };
  produce({{"same", "1"}, {"same", "2"}, {"same", "1"}, {"other", "3"}, {"same", std::nullopt}});
  produce({{"b", "1"}, {"a", "2"}, {"B", "3"}, {"a", "4"}});  // neither sorted nor unique
  produce(
      {{"\xff\xfe\x80", "not UTF-8"}, {"\xc3\x28", "a bad continuation"}, {"\xed\xa0\x80", "a surrogate"}});
  produce(
      {{"schlüssel-鍵-🔑", "UTF-8"}, {"x", "\xff\x01\x80"}, {" ", "a space"}, {"tab\tline\n", "controls"}});
  produce({{"zeros", std::string("\0\0a\0", 4)}});
  produce({{std::string(5000, 'k'), "a long key"}, {"a long value", random.bytes(100'000)}});
  std::vector<Header> many;
  for (int i = 0; i < 1000; i++) many.push_back({fmt::format("h{}", i % 10), std::to_string(i)});
  produce(std::move(many));
  producer.flush();
}

// 0 and negative ones are for a Java producer (java/Fill.java): librdkafka writes the present time instead.
void timestamps(const Fill& fill) {
  std::string topic = fill.topic("timestamps");
  std::string any = std::to_string(std::numeric_limits<std::int64_t>::max());
  Admin(fill.bootstrap)
      .create_topic(topic, 2,
                    {{"retention.ms", "-1"},
                     {"message.timestamp.before.max.ms", any},
                     {"message.timestamp.after.max.ms", any}});
  const std::vector<std::int64_t> odd = {
      1,           2, 1'000,     946'684'800'000, base_timestamp_ms, 4'102'444'800'000, 253'402'300'799'999,
      (1LL << 62), 3, 86'400'000};
  Random random = fill.random(topic);
  for (std::int32_t partition = 0; partition < 2; partition++) {
    // Partition 0: all in one batch or a few; partition 1: a batch for each record.
    Producer producer(fill.bootstrap, {{"linger.ms", partition == 0 ? "100" : "0"},
                                       {"batch.num.messages", partition == 0 ? "10000" : "1"}});
    for (auto timestamp_ms : odd) producer.produce(topic, partition, {"odd", "v", {}, timestamp_ms});
    for (std::int64_t i = 0; i < fill.scaled(200); i++) {  // back and forth by up to ten days
      auto timestamp_ms = base_timestamp_ms + static_cast<std::int64_t>(random.below(864'000'000));
      producer.produce(topic, partition, {"shuffled", random.text(50), {}, timestamp_ms});
    }
    producer.flush();
  }
}

void log_append_time(const Fill& fill) {
  std::string topic = fill.topic("log-append-time");
  Admin(fill.bootstrap).create_topic(topic, 2, {{"message.timestamp.type", "LogAppendTime"}});
  Random random = fill.random(topic);
  for (const char* codec : {"none", "zstd"}) {
    Producer producer(fill.bootstrap, {{"compression.type", codec}, {"linger.ms", "10"}});
    for (std::int64_t i = 0; i < fill.scaled(300); i++) {
      producer.produce(topic, static_cast<std::int32_t>(i % 2), ordinary_record(random, 1 + i));
      if (i % 50 == 0) producer.flush();  // so that there are several append times
    }
    producer.flush();
  }
}

// A batch of one record has 72 bytes around a value of that size and may have 1,048,588 in all.
constexpr std::size_t largest_value = 1'048'588 - 72;

void sizes(const Fill& fill) {
  std::string topic = fill.topic("sizes");
  Admin(fill.bootstrap).create_topic(topic, 2, {{"min.insync.replicas", "1"}, {"retention.bytes", "-1"}});
  Random random = fill.random(topic);
  Producer plain(fill.bootstrap, {{"linger.ms", "5"}});
  for (std::size_t size : {0, 1, 2, 63, 64, 127, 128, 8191, 8192, 16'383, 16'384, 65'535, 65'536, 500'000}) {
    plain.produce(topic, 0, {std::nullopt, random.bytes(size), {}, base_timestamp_ms});
    plain.produce(topic, 0, {random.bytes(size), std::nullopt, {}, base_timestamp_ms});
  }
  plain.flush();
  Producer single(fill.bootstrap, {{"linger.ms", "0"}, {"batch.num.messages", "1"}});
  single.produce(topic, 0, {std::nullopt, random.bytes(largest_value), {}, base_timestamp_ms});
  single.flush();
  single.produce(topic, 0, {std::nullopt, random.bytes(largest_value + 1), {}, base_timestamp_ms});
  if (single.flush_refusal() != RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
    throw std::runtime_error(
        "the broker took more than the largest record: its message.max.bytes is not the default");
  }
  // The limit is for the compressed batch: what is inside may be ten times larger.
  Producer squeezed(fill.bootstrap, {{"compression.type", "zstd"}, {"linger.ms", "0"}});
  squeezed.produce(topic, 1, {"zeros", std::string(10'000'000, '\0'), {}, base_timestamp_ms});
  squeezed.produce(topic, 1, {"after", "v", {}, base_timestamp_ms});
  squeezed.flush();
}

void large(const Fill& fill) {
  std::string topic = fill.topic("large");
  Admin(fill.bootstrap).create_topic(topic, 2, {{"max.message.bytes", "8388608"}, {"retention.ms", "-1"}});
  Random random = fill.random(topic);
  for (const char* codec : {"none", "lz4"}) {
    Producer producer(fill.bootstrap, {{"compression.type", codec}, {"linger.ms", "5"}});
    for (std::int64_t i = 0; i < fill.scaled(3); i++) {
      auto partition = static_cast<std::int32_t>(i % 2);
      producer.produce(topic, partition, {"small", "before", {}, base_timestamp_ms});
      producer.produce(topic, partition, {"large", random.bytes(4 << 20), {}, base_timestamp_ms + i});
    }
    producer.flush();
  }
}

constexpr Scenario scenarios[] = {
    {"codecs", "a topic for each of the five codecs", codecs},
    {"mixed-codecs", "one partition with batches of all codecs", mixed_codecs},
    {"nulls", "null and empty keys, values, header keys and values", nulls},
    {"headers", "duplicate, unordered, non-UTF-8, long and many headers", headers},
    {"timestamps", "far past, far future, out of order", timestamps},
    {"log-append-time", "a topic where the broker sets the timestamps", log_append_time},
    {"sizes", "0 bytes to the largest record the broker takes", sizes},
    {"large", "records of 4 MiB on a topic that allows them", large},
};
}  // namespace

std::span<const Scenario> record_scenarios() {
  return scenarios;
}

}  // namespace tool
