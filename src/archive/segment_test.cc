#include "archive/segment.h"

#include "archive/sample_run.h"
#include "archive/varint.h"
#include "base/checksum.h"

#include <doctest/doctest.h>

namespace kb::archive {
namespace {

const std::string key = "segments/nightly-20250101-000000/0-00000001-00000001";
const StreamId orders_0{"orders", 0, "l"}, orders_1{"orders", 1, "l"}, payments{"payments", 0, "l"};

std::unique_ptr<SealedSegment> small_segment() {
  std::vector<PendingBlock> blocks;
  blocks.push_back(sample::make_block(payments, "id", 0, 4));
  blocks.push_back(sample::make_block(orders_1, "id", 7, 12));
  blocks.push_back(sample::lost_block(orders_1, 2, 7));
  blocks.push_back(sample::make_block(orders_0, "id", 0, 3));
  return seal_segment(key, std::move(blocks));
}

std::string bytes_of(const SealedSegment& segment) {
  std::string bytes;
  for (auto part : segment.parts) bytes += part;
  return bytes;
}

std::string refusal(std::string_view name, std::string_view bytes) {
  try {
    open_segment(name, bytes);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::corrupt);
    return error.what();
  }
  return {};
}

// A segment with any footer, its checksum right.
std::string framed(const std::string& blocks, const Index& index) {
  auto footer = encode_index(index);
  ByteWriter trailer;
  trailer.fixed32(static_cast<std::uint32_t>(footer.size()));
  trailer.fixed32(crc32c(footer));
  return "KBSEG001" + blocks + footer + std::move(trailer).take() + "KBSEGEND";
}

}  // namespace

TEST_CASE("a segment carries its own index, in the order of streams and offsets") {
  auto sealed = small_segment();
  auto bytes = bytes_of(*sealed);
  auto index = open_segment(key, bytes);
  CHECK(index == sealed->index);
  CHECK(index.objects == std::vector{ObjectEntry{.key = key, .bytes = bytes.size(), .crc = crc32c(bytes)}});
  CHECK(index.streams[orders_1].size() == 2);
  CHECK(index.streams[orders_1][0].object == Block::no_object);
  CHECK(index.streams[orders_1][0].holes.lost == 5);
  std::uint64_t position = 8;
  for (const auto& [stream, blocks] : index.streams) {
    for (const auto& block : blocks) {
      if (block.object == Block::no_object) continue;
      CHECK(block.position == position);
      CHECK_NOTHROW(sample::check_block("id", stream, block, bytes));
      position += block.stored_bytes;
    }
  }
}

TEST_CASE("a segment can consist of several parts per block, or of none") {
  std::vector<PendingBlock> blocks;
  blocks.push_back(sample::make_block(orders_0, "id", 0, 4));
  auto whole = blocks[0].parts[0];
  blocks[0].parts = {whole.substr(0, 5), whole.substr(5, 0), whole.substr(5)};
  auto bytes = bytes_of(*seal_segment(key, std::move(blocks)));
  CHECK(bytes.substr(8, 24) == bytes_of(*small_segment()).substr(8, 18) + sample::record_at("id", 0, 3));
  auto nothing = bytes_of(*seal_segment(key, {}));
  CHECK(open_segment(key, nothing).block_count() == 0);
}

TEST_CASE("damage of any bit of a segment is found, and so is any other length") {
  const auto bytes = bytes_of(*small_segment());
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    auto why = refusal(key, damaged);
    REQUIRE_MESSAGE(why.find(key) != std::string::npos, (bit / 8), why);
  }
  for (std::size_t length = 0; length < bytes.size(); ++length)
    REQUIRE(refusal(key, std::string_view(bytes).substr(0, length)) != "");
  CHECK(refusal(key, bytes + "x") != "");
  CHECK(refusal(key, bytes.substr(0, 8) + "x" + bytes.substr(8)) != "");
  CHECK(refusal(key, bytes + bytes) != "");
}

TEST_CASE("damage in a block names its partition and offsets") {
  auto bytes = bytes_of(*small_segment());
  bytes[8 + 18] = static_cast<char>(bytes[8 + 18] ^ 1);  // behind the three records of orders/0
  CHECK(refusal(key, bytes) == "object " + key + ": CRC-32C does not match at orders/1 offsets 7 to 11");
}

TEST_CASE("a segment under another name is found") {
  auto other = "segments/nightly-20250101-000000/0-00000001-00000002";
  CHECK(refusal(other, bytes_of(*small_segment())) ==
        fmt::format("object {} holds the segment {}", other, key));
}

TEST_CASE("a footer that leaves bytes out, or takes them twice, is refused") {
  auto pending = sample::make_block(orders_0, "id", 0, 3);
  auto block = pending.block;
  block.object = 0;
  block.position = 8;
  block.crc = crc32c(pending.parts[0]);
  const std::string data(pending.parts[0]);
  auto with = [&](const Block& b) {
    Index index;
    index.objects = {{.key = key}};
    index.streams[orders_0] = {b};
    return index;
  };
  CHECK(refusal(key, framed(data, with(block))) == "");
  CHECK(refusal(key, framed(data + "x", with(block))).find("1 bytes between") != std::string::npos);
  auto early = block, long_one = block, far = block;
  early.position = 7;
  long_one.stored_bytes = 0xffffffff;
  far.position = ~std::uint64_t{0};
  for (const auto& wrong : {early, long_one, far}) CHECK(refusal(key, framed(data, with(wrong))) != "");
  Index nameless;
  CHECK(refusal(key, framed("", nameless)).find("of no name") != std::string::npos);
}

}  // namespace kb::archive
