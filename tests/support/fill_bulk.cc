#include <algorithm>
#include <chrono>
#include <thread>

#include <fmt/core.h>

#include "fill.h"

namespace tool {
namespace {

constexpr std::size_t pool_records =
    4096;  // distinct values; more than a batch holds of any size worth compressing
constexpr std::size_t key_bytes = 16;

struct Bulk {
  std::string topic;
  std::int64_t bytes, record_bytes;
  std::int32_t partitions;
  Settings producer;
  bool incompressible;
  std::int64_t rate;  // bytes a second; 0: as fast as it goes, with timestamps of the past
};

Bulk parse(const Fill& fill) {
  const Arguments& arguments = fill.arguments;
  Bulk bulk;
  bulk.topic = fill.topic(arguments.text("topic", "bulk"));
  bulk.bytes =
      static_cast<std::int64_t>(static_cast<double>(arguments.number("bytes", 100 << 20)) * fill.scale);
  bulk.record_bytes = std::max<std::int64_t>(key_bytes + 1, arguments.number("record-bytes", 1000));
  bulk.partitions = static_cast<std::int32_t>(arguments.number("partitions", 6));
  bulk.incompressible = arguments.has("incompressible");
  bulk.rate = arguments.number("rate", 0);
  auto batch_bytes = arguments.number("batch-bytes", 1'000'000);
  bulk.producer = {{"compression.type", arguments.text("codec", "none")},
                   {"batch.size", std::to_string(batch_bytes)},
                   {"batch.num.messages", std::to_string(arguments.number("batch-records", 1'000'000))},
                   {"linger.ms", arguments.text("linger-ms", "100")},
                   {"queue.buffering.max.messages", "2000000"}};
  return bulk;
}

std::vector<std::string> make_pool(const Fill& fill, const Bulk& bulk) {
  Random random = fill.random("bulk");
  std::size_t size = static_cast<std::size_t>(bulk.record_bytes) - key_bytes;
  std::size_t count = std::clamp<std::size_t>((256 << 20) / size, 16, pool_records);
  std::vector<std::string> pool;
  for (std::size_t i = 0; i < count; i++)
    pool.push_back(bulk.incompressible ? random.bytes(size) : random.text(size));
  return pool;
}

// Waits until record `i` is due; gives its timestamp.
std::int64_t pace(const Bulk& bulk, std::int64_t i, std::chrono::steady_clock::time_point started) {
  using namespace std::chrono;
  if (bulk.rate == 0) return base_timestamp_ms + i / 1000;
  const auto due = started + microseconds(i * bulk.record_bytes * 1'000'000 / bulk.rate);
  if (due > steady_clock::now()) std::this_thread::sleep_until(due);
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

// Records of one size; every key is the record's number, so that each record of the topic is unlike all
// others.
void bulk(const Fill& fill) {
  Bulk bulk = parse(fill);
  Admin(fill.bootstrap).create_topic(bulk.topic, bulk.partitions, {{"retention.ms", "-1"}});
  std::vector<std::string> pool = make_pool(fill, bulk);
  Producer producer(fill.bootstrap, bulk.producer);
  auto started = std::chrono::steady_clock::now();
  std::int64_t count = bulk.bytes / bulk.record_bytes;
  for (std::int64_t i = 0; i < count; i++) {
    std::string key = fmt::format("{:016}", i);
    producer.produce_view(bulk.topic, static_cast<std::int32_t>(i % bulk.partitions), key,
                          pool[static_cast<std::size_t>(i) % pool.size()], pace(bulk, i, started));
  }
  producer.flush();
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
  fmt::print("{}: {} records, {:.1f} MB in {:.1f} s\n", bulk.topic, count,
             static_cast<double>(count * bulk.record_bytes) / 1e6, took.count());
}

constexpr Scenario scenarios[] = {{"bulk", "much data in one topic, see the options", bulk, false}};
}  // namespace

std::span<const Scenario> bulk_scenarios() {
  return scenarios;
}

}  // namespace tool
