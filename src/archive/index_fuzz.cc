// Whatever the bytes are: an Error of the right kind, or values that survive encoding. The first byte says
// what the others are: an index, the footer of a segment or the body of a decision, each with a right
// checksum.
#include <cstdint>

#include "archive/segment.h"
#include "archive/set.h"
#include "archive/typed_document.h"
#include "archive/varint.h"
#include "base/checksum.h"
#include "base/error.h"

namespace kb::archive {
namespace {

const std::string segment_name = "segments/r-20250101-000000/0-00000001-00000001";
const std::string decision_name = "sets/r-20250101-000000";

void check_index(const Index& index) {
  CHECK(decode_index(encode_index(index)) == index);
  std::map<StreamId, Bounds> bounds;
  for (const auto& [stream, blocks] : index.streams) {
    if (blocks.empty()) continue;
    bounds[stream] = {blocks.front().first_offset + 1, blocks.back().next_offset};
    auto at = first_uncovered(blocks, bounds[stream]);
    CHECK(at >= bounds[stream].start && at <= bounds[stream].end);
  }
  auto kept = restrict_to(index, bounds);
  CHECK(kept.block_count() <= index.block_count());
  CHECK(kept.objects.size() <= index.objects.size());
}

void fuzz_segment(std::string_view footer) {
  ByteWriter trailer;
  trailer.fixed32(static_cast<std::uint32_t>(footer.size()));
  trailer.fixed32(crc32c(footer));
  auto bytes = "KBSEG001" + std::string(footer) + std::move(trailer).take() + "KBSEGEND";
  auto index = open_segment(segment_name, bytes);
  CHECK(index.objects.size() == 1);
  check_index(index);
}

void fuzz_decision(std::string_view body) {
  auto bytes =
      fmt::format("kafka-backup-archive/1 decision {} {}\n{}", decision_name, sha256_hex(body), body);
  auto decision = parse_document<Decision>("decision", decision_name, bytes);
  auto again = seal("decision", decision_name, {.head = schema::write(decision).get_object()});
  auto second = parse_document<Decision>("decision", decision_name, again);
  CHECK(seal("decision", decision_name, {.head = schema::write(second).get_object()}) == again);
  if (decision.set) CHECK(decision.set->bounds().size() == second.set->bounds().size());
}

}  // namespace
}  // namespace kb::archive

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kb;
  if (size == 0) return 0;
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    switch (data[0] % 4) {
      case 0:
        archive::check_index(archive::decode_index(rest));
        break;
      case 1:
        archive::fuzz_segment(rest);
        break;
      case 2:
        archive::fuzz_decision(rest);
        break;
      default:
        archive::unseal("decision", archive::decision_name, rest);
    }
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::corrupt || error.kind() == ErrorKind::invalid);
  }
  return 0;
}
