#include "content.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/core.h>

namespace tool {
namespace {
constexpr std::array words = {"order",   "customer", "amount",  "currency", "EUR",  "shipped",
                              "pending", "address",  "berlin",  "paris",    "item", "quantity",
                              "refund",  "voucher",  "created", "updated"};

Bytes ordinary_key(Random& random) {
  if (random.one_in(10)) return std::nullopt;
  if (random.one_in(20)) return "";
  return fmt::format("key-{}", random.below(1000));
}

Bytes ordinary_value(Random& random) {
  if (random.one_in(20)) return std::nullopt;
  if (random.one_in(20)) return "";
  if (random.one_in(10)) return random.bytes(1 + random.below(2000));
  return random.text(1 + random.below(random.one_in(8) ? 8000 : 600));
}
}  // namespace

std::uint64_t Random::next() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

std::string Random::bytes(std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; i += 8) {
    std::uint64_t word = next();
    std::memcpy(out.data() + i, &word, std::min<std::size_t>(8, size - i));
  }
  return out;
}

std::string Random::text(std::size_t size) {
  std::string out = "{";
  out.reserve(size + 64);
  while (out.size() < size) {
    std::uint64_t bits = next();
    fmt::format_to(std::back_inserter(out), "\"{}\":\"{}-{}\",", words[bits & 15], words[(bits >> 4) & 15],
                   (bits >> 8) % 100'000);
  }
  out.resize(size);
  return out;
}

Record ordinary_record(Random& random, std::int64_t timestamp_ms) {
  Record record{ordinary_key(random), ordinary_value(random), {}, timestamp_ms};
  for (std::uint64_t i = random.one_in(3) ? random.below(4) : 0; i > 0; i--) {
    record.headers.push_back({fmt::format("header-{}", random.below(5)), random.text(random.below(40))});
  }
  return record;
}

}  // namespace tool
