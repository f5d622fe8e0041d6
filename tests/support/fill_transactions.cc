#include <fmt/core.h>

#include "fill.h"

namespace tool {
namespace {

// Long enough that no test sees the coordinator abort an open transaction; brokers may allow less.
constexpr const char* timeout_wanted_ms = "21600000";
constexpr const char* timeout_default_max_ms = "900000";

void produce_some(Producer& producer, const std::string& topic, std::int32_t partition, Random& random,
                  const char* what) {
  for (std::uint64_t i = 1 + random.below(20); i > 0; i--) {
    Record record =
        ordinary_record(random, base_timestamp_ms + static_cast<std::int64_t>(random.below(1000)));
    record.headers.push_back({"what", what});
    producer.produce(topic, partition, record);
  }
  producer.flush();  // so that the next producer's records lie behind these
}

// Two transactional producers and a plain one take turns; transactions of both overlap, and span both
// partitions.
void interleaved(const Fill& fill, const std::string& topic, Producer& a, Producer& b) {
  Producer plain(fill.bootstrap, {{"linger.ms", "5"}});
  Random random = fill.random(topic);
  for (std::int64_t round = 0; round < fill.scaled(12); round++) {
    bool abort_a = random.one_in(2), abort_b = random.one_in(2);
    a.begin();
    b.begin();
    for (int turn = 0; turn < 3; turn++) {
      auto partition = static_cast<std::int32_t>(random.below(2));
      produce_some(a, topic, partition, random, abort_a ? "aborted" : "committed");
      produce_some(plain, topic, partition, random, "plain");
      produce_some(b, topic, partition, random, abort_b ? "aborted" : "committed");
    }
    abort_a ? a.abort() : a.commit();
    produce_some(plain, topic, static_cast<std::int32_t>(round % 2), random, "plain");
    abort_b ? b.abort() : b.commit();
  }
}

void transactions(const Fill& fill) {
  std::string topic = fill.topic("transactions");
  Admin(fill.bootstrap).create_topic(topic, 2, {{"retention.ms", "-1"}});
  Producer a = transactional_producer(fill, "tx-a", "zstd"), b = transactional_producer(fill, "tx-b");
  interleaved(fill, topic, a, b);
}

void aborted(const Fill& fill) {
  std::string topic = fill.topic("transactions-aborted");
  Admin(fill.bootstrap).create_topic(topic, 1, {});
  Producer producer = transactional_producer(fill, "tx-aborted", "lz4");
  Random random = fill.random(topic);
  for (int i = 0; i < 3; i++) {
    producer.begin();
    produce_some(producer, topic, 0, random, "aborted");
    producer.abort();
  }
}

// Larger than a fetch answer: the reader meets the middle of a transaction, and markers in another answer
// than the data.
void large(const Fill& fill) {
  std::string topic = fill.topic("transactions-large");
  Admin(fill.bootstrap).create_topic(topic, 1, {{"retention.ms", "-1"}});
  Producer a = transactional_producer(fill, "tx-large-a"),
           b = transactional_producer(fill, "tx-large-b", "snappy");
  Random random = fill.random(topic);
  auto block = [&](Producer& producer, const char* what) {
    for (int i = 0; i < 20; i++)
      producer.produce(topic, 0, {what, random.bytes(50'000), {}, base_timestamp_ms});
    producer.flush();
  };
  for (std::int64_t round = 0; round < fill.scaled(2); round++) {
    a.begin();
    b.begin();
    for (int i = 0; i < 6; i++) {
      block(a, "aborted");
      block(b, "committed");
    }
    b.commit();
    a.abort();
  }
}

// Open transactions stay open when this process ends. Behind the first record of one, a read_committed
// consumer sees nothing: neither plain records nor those of transactions committed later.
void open(const Fill& fill) {
  std::string topic = fill.topic("transactions-open");
  Admin(fill.bootstrap).create_topic(topic, 2, {{"retention.ms", "-1"}});
  Producer a = transactional_producer(fill, "tx-open-a"), b = transactional_producer(fill, "tx-open-b");
  interleaved(fill, topic, a, b);
  Producer left_open = transactional_producer(fill, "tx-open-left");
  Random random = fill.random(topic + "-open");
  left_open.begin();
  produce_some(left_open, topic, 0, random, "open");
  interleaved(fill, topic, a, b);
  produce_some(left_open, topic, 0, random, "open");

  std::string only = fill.topic("transactions-open-only");
  Admin(fill.bootstrap).create_topic(only, 1, {});
  produce_some(left_open, only, 0, random, "open");
}

constexpr Scenario scenarios[] = {
    {"transactions", "committed, aborted and plain records interleaved, all ended", transactions},
    {"transactions-aborted", "nothing but aborted transactions", aborted},
    {"transactions-large", "transactions of several MB, aborted beside committed", large},
    {"transactions-open", "the same with a transaction left open, and a topic with nothing else", open},
};
}  // namespace

Producer transactional_producer(const Fill& fill, const std::string& name, const char* codec) {
  for (const char* timeout_ms : {timeout_wanted_ms, timeout_default_max_ms}) {
    Producer producer(fill.bootstrap, {{"transactional.id", fill.topic(name)},
                                       {"transaction.timeout.ms", timeout_ms},
                                       {"compression.type", codec},
                                       {"linger.ms", "5"}});
    try {
      producer.init_transactions();
      return producer;
    } catch (const std::exception& error) {
      if (timeout_ms == timeout_default_max_ms) throw;
    }
  }
  return Producer(fill.bootstrap);
}

std::span<const Scenario> transaction_scenarios() {
  return scenarios;
}

}  // namespace tool
