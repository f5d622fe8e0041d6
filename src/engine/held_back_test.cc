#include "engine/held_back.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::engine;

namespace {

constexpr std::int64_t now_ms = 1'000'000'000;
const kafka::TopicPartition partition{"orders", 3};
const Held held{.last_stable_offset = 100, .high_watermark = 412};

archive::HeldBack judged(std::int64_t last_record_ms, const archive::Capture* base = nullptr) {
  return judge(
      partition, held,
      kafka::OpenTransaction{.producer_id = 4711, .first_offset = 100, .last_timestamp_ms = last_record_ms},
      base, now_ms);
}

archive::Capture base_of(std::int64_t captured_at_ms, std::int64_t offset) {
  archive::Capture base;
  base.captured_at_ms = captured_at_ms;
  base.held_back.push_back({.topic = "orders", .partition = 3, .offset = offset});
  return base;
}

}  // namespace

TEST_CASE("what lies behind an open transaction is counted, whoever's it is") {
  auto known = judged(now_ms);
  CHECK(known.topic == "orders");
  CHECK(known.partition == 3);
  CHECK(known.offset == 100);
  CHECK(known.offsets == 312);
  CHECK(known.producer_id == 4711);
  CHECK_FALSE(known.hanging);
  auto unknown = judge(partition, held, std::nullopt, nullptr, now_ms);
  CHECK(unknown.offsets == 312);
  CHECK(unknown.producer_id == -1);
  CHECK_FALSE(unknown.hanging);
}

TEST_CASE("a transaction that is open now and is not the one at the last stable offset is not blamed") {
  const kafka::OpenTransaction later{.producer_id = 4711, .first_offset = 101, .last_timestamp_ms = 0};
  auto result = judge(partition, held, later, nullptr, now_ms);
  CHECK(result.producer_id == -1);
  CHECK_FALSE(result.hanging);
}

TEST_CASE("a producer that has been silent for long has left its transaction hanging") {
  CHECK_FALSE(judged(now_ms - hanging_after_ms + 1).hanging);
  CHECK(judged(now_ms - hanging_after_ms).hanging);
  CHECK_FALSE(judged(-1).hanging);
}

TEST_CASE("a transaction that held back the base hangs, whatever its timestamps say") {
  const auto old = base_of(now_ms - hanging_after_ms, 100);
  CHECK(judged(now_ms, &old).hanging);
  const auto young = base_of(now_ms - hanging_after_ms + 1, 100);
  CHECK_FALSE(judged(now_ms, &young).hanging);
  const auto other = base_of(now_ms - hanging_after_ms, 99);
  CHECK_FALSE(judged(now_ms, &other).hanging);
}

TEST_CASE("warnings name partition, producer and offsets of what hangs, and are few") {
  archive::Capture capture;
  capture.captured_at_ms = now_ms;
  for (std::int32_t i = 0; i < 8; ++i)
    capture.held_back.push_back({.topic = "orders",
                                 .partition = i,
                                 .offset = 100,
                                 .offsets = 312,
                                 .producer_id = 4711,
                                 .last_record_ms = now_ms - 7'200'000,
                                 .hanging = i > 0});
  auto warnings = hanging_warnings(capture);
  REQUIRE(warnings.size() == 6);
  CHECK(warnings[0] ==
        "orders/1: an open transaction of producer 4711, whose last record is 2 h 00 min old, keeps 312 "
        "offsets "
        "from 100 on out of this backup: kafka-transactions.sh find-hanging and abort");
  CHECK(warnings[5] == "and 2 more partitions are held back by open transactions");
  CHECK(held_back_offsets(capture) == 8 * 312);
  CHECK(hanging_transactions(capture) == 7);
}
