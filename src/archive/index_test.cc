#include "archive/index.h"

#include <optional>
#include <set>

#include "archive/sample_index.h"
#include "archive/varint.h"
#include "base/error.h"

#include <doctest/doctest.h>

namespace kb::archive {
namespace {

// Whether decoding ends in the right kind of error; the index when it does not end in one.
std::optional<Index> decode_or_refuse(std::string_view bytes) {
  try {
    return decode_index(bytes);
  } catch (const Error& error) {
    CHECK_MESSAGE((error.kind() == ErrorKind::corrupt || error.kind() == ErrorKind::invalid), error.what());
    return std::nullopt;
  }
}

ErrorKind kind_of_refusal(std::string_view bytes) {
  try {
    decode_index(bytes);
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::internal;
}

Block covering(std::int64_t first, std::int64_t next) {
  return {.first_offset = first, .next_offset = next, .records = static_cast<std::uint64_t>(next - first)};
}

// By trying each offset.
std::int64_t first_uncovered_by_hand(const std::vector<Block>& blocks, Bounds bounds) {
  for (auto at = bounds.start; at < bounds.end; ++at) {
    bool covered = false;
    for (const auto& block : blocks) covered |= block.first_offset <= at && at < block.next_offset;
    if (!covered) return at;
  }
  return bounds.end;
}

}  // namespace

TEST_CASE("indexes survive encoding") {
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    auto index = sample::RandomIndex(seed).make();
    auto bytes = encode_index(index);
    auto decoded = decode_index(bytes);
    REQUIRE(decoded == index);
    REQUIRE(encode_index(decoded) == bytes);
  }
}

TEST_CASE("a truncated index is refused, a damaged one never crashes and never passes for the same") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    auto index = sample::RandomIndex(seed).make();
    const auto bytes = encode_index(index);
    for (std::size_t length = 0; length < bytes.size(); ++length)
      REQUIRE_FALSE(decode_or_refuse(std::string_view(bytes).substr(0, length)));
    REQUIRE_FALSE(decode_or_refuse(bytes + '\0'));
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      auto damaged = bytes;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      if (auto decoded = decode_or_refuse(damaged)) REQUIRE(*decoded != index);
    }
  }
}

TEST_CASE("what damaged bytes ask for is bounded by their number") {
  ByteWriter objects, streams, blocks, string;
  objects.uint(1), objects.uint(std::uint64_t{1} << 60);
  CHECK(kind_of_refusal(std::move(objects).take()) == ErrorKind::corrupt);
  streams.uint(1), streams.uint(0), streams.uint(~std::uint64_t{0});
  CHECK(kind_of_refusal(std::move(streams).take()) == ErrorKind::corrupt);
  string.uint(1), string.uint(1), string.uint(~std::uint64_t{0}), string.string("xxxxxx");
  CHECK(kind_of_refusal(std::move(string).take()) == ErrorKind::corrupt);
  blocks.uint(1), blocks.uint(0), blocks.uint(1), blocks.string("t"), blocks.uint(0), blocks.string("l");
  blocks.uint(1'000'000);
  CHECK(kind_of_refusal(std::move(blocks).take() + std::string(1'000'000, '\0')) == ErrorKind::corrupt);
}

TEST_CASE("integers that do not fit are refused") {
  CHECK(kind_of_refusal(std::string(10, '\xff')) == ErrorKind::corrupt);          // no end
  CHECK(kind_of_refusal(std::string(9, '\xff') + '\x02') == ErrorKind::corrupt);  // more than 64 bits
  ByteReader largest(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10));
  CHECK(largest.uint() == ~std::uint64_t{0});
  Index index;
  index.streams[{"t", -1, "l"}] = {covering(0, 1)};
  CHECK(kind_of_refusal(encode_index(index)) == ErrorKind::corrupt);
}

TEST_CASE("a newer index says so") {
  CHECK(kind_of_refusal(std::string("\2\0\0", 3)) == ErrorKind::invalid);
}

TEST_CASE("what could not be decoded is not encoded") {
  auto encode = [](std::vector<Block> blocks) {
    Index index;
    index.streams[{"t", 0, "l"}] = std::move(blocks);
    return encode_index(index);
  };
  CHECK_NOTHROW(encode({covering(0, 10), covering(10, 20), covering(25, 30)}));
  CHECK_THROWS_AS(encode({covering(0, 10), covering(9, 20)}), Error);
  CHECK_THROWS_AS(encode({covering(10, 20), covering(0, 10)}), Error);
  CHECK_THROWS_AS(encode({covering(5, 5)}), Error);
  auto short_of_one = covering(0, 10);
  --short_of_one.records;
  CHECK_THROWS_AS(encode({short_of_one}), Error);
  auto overflowing = covering(0, 10);
  overflowing.records = ~std::uint64_t{0};
  overflowing.holes.lost = 11;
  CHECK_THROWS_AS(encode({overflowing}), Error);
}

TEST_CASE("append renumbers objects and keeps the order of offsets") {
  Index a, b;
  a.objects = {{.key = "a"}};
  b.objects = {{.key = "b"}, {.key = "c"}};
  auto in = [](Block block, std::uint32_t object) {
    block.object = object;
    return block;
  };
  StreamId stream{"t", 0, "l"};
  a.streams[stream] = {in(covering(10, 20), 0), in(covering(40, 50), Block::no_object)};
  b.streams[stream] = {in(covering(0, 10), 1), in(covering(30, 40), 0)};
  a.append(b);
  std::string order;
  for (const auto& block : a.streams[stream])
    order += block.object == Block::no_object ? "-" : a.objects.at(block.object).key;
  CHECK(order == "cab-");
}

TEST_CASE("restrict_to keeps the blocks that the bounds reach and the objects these need") {
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    sample::RandomIndex random(seed);
    auto index = random.make();
    std::map<StreamId, Bounds> bounds;
    for (const auto& [stream, blocks] : index.streams) {
      if (blocks.empty() || random.draw(4) == 0) continue;
      auto span = static_cast<std::uint64_t>(blocks.back().next_offset - blocks.front().first_offset) + 1;
      auto start = blocks.front().first_offset + static_cast<std::int64_t>(random.draw(span));
      bounds[stream] = {start, start + static_cast<std::int64_t>(random.draw(span))};
    }
    auto kept = restrict_to(index, bounds);
    std::size_t expected = 0;
    std::set<std::string> used;
    for (const auto& [stream, b] : bounds) {
      auto reaches = [&, b = b](const Block& x) { return x.next_offset > b.start && x.first_offset < b.end; };
      std::vector<Block> wanted;
      for (const auto& block : index.streams[stream])
        if (reaches(block)) wanted.push_back(block);
      expected += wanted.size();
      auto got = kept.streams[stream];
      REQUIRE(got.size() == wanted.size());
      for (std::size_t i = 0; i < got.size(); ++i) {
        if (wanted[i].object != Block::no_object) {
          REQUIRE(kept.objects.at(got[i].object) == index.objects.at(wanted[i].object));
          used.insert(std::to_string(wanted[i].object));
        }
        got[i].object = wanted[i].object;
        REQUIRE(got[i] == wanted[i]);
      }
    }
    REQUIRE(kept.block_count() == expected);
    REQUIRE(kept.objects.size() == used.size());
  }
}

TEST_CASE("first_uncovered agrees with trying each offset") {
  for (std::uint64_t seed = 1; seed <= 5000; ++seed) {
    sample::RandomIndex random(seed);
    std::vector<Block> blocks;
    for (std::int64_t next = 0; blocks.size() < 5;) {
      auto first = next + (random.draw(4) == 0 ? 1 + static_cast<std::int64_t>(random.draw(3)) : 0);
      next = first + 1 + static_cast<std::int64_t>(random.draw(4));
      blocks.push_back(covering(first, next));
    }
    Bounds bounds{.start = static_cast<std::int64_t>(random.draw(25))};
    bounds.end = bounds.start + static_cast<std::int64_t>(random.draw(25));
    REQUIRE(first_uncovered(blocks, bounds) == first_uncovered_by_hand(blocks, bounds));
  }
  CHECK(first_uncovered({}, {.start = 3, .end = 7}) == 3);
  CHECK(first_uncovered({}, {.start = 7, .end = 7}) == 7);
}

}  // namespace kb::archive
