// What the filled topics hold: a function of the seed only, so that two runs write the same records.
#pragma once
#include "kafka_client.h"

namespace tool {

// splitmix64 (Steele, Lea, Flood 2014). Belongs to one thread.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  std::string bytes(std::size_t size);  // nothing compresses them
  std::string text(std::size_t size);   // JSON-like, compresses three to five times

 private:
  std::uint64_t state_;
};

// 2023-11-14T22:13:20Z: the first timestamp of ordinary records.
constexpr std::int64_t base_timestamp_ms = 1'700'000'000'000;

// A record as applications write them: mostly keyed text of some hundred bytes, now and then null, empty,
// binary, of several KiB, with headers.
Record ordinary_record(Random& random, std::int64_t timestamp_ms);

}  // namespace tool
