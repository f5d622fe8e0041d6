// Keeps the worked example of docs/archive-format.md true: what stands there is what the code writes.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "archive/layout.h"
#include "archive/segment.h"
#include "archive/set.h"
#include "archive/typed_document.h"
#include "base/checksum.h"

#include <doctest/doctest.h>

namespace kb::archive {
namespace {

const std::string id = "nightly-20250101-000000";

std::string format_document() {
  auto path = std::filesystem::path(__FILE__).parent_path() / "../../docs/archive-format.md";
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  REQUIRE_MESSAGE(!text.str().empty(), path.string());
  return text.str();
}

std::string hexdump(std::string_view bytes) {
  std::string out;
  for (std::size_t row = 0; row < bytes.size(); row += 16) {
    auto part = bytes.substr(row, 16);
    std::string hex, text;
    for (auto c : part) {
      hex += fmt::format("{:02x} ", static_cast<unsigned char>(c));
      text += c >= ' ' && c <= '~' ? c : '.';
    }
    out += fmt::format("{:04x}  {:<48} {}\n", row, hex, text);
  }
  return out;
}

std::unique_ptr<SealedSegment> example_segment() {
  auto batches = std::make_shared<std::string>("batches of orders/0");
  PendingBlock pending{.stream = {"orders", 0, id},
                       .block = {.first_offset = 100,
                                 .next_offset = 104,
                                 .records = 3,
                                 .holes = {.control = 1},
                                 .base_timestamp_min = 1'735'689'600'000,
                                 .max_timestamp = 1'735'689'600'500,
                                 .leader_epoch = 7,
                                 .stored_bytes = 19,
                                 .raw_bytes = 19},
                       .parts = {*batches},
                       .owners = {batches}};
  std::vector<PendingBlock> blocks;
  blocks.push_back(std::move(pending));
  return seal_segment(segment_key(id, 0, 1, 1), std::move(blocks));
}

Decision example_decision(const std::string& index_object, const std::string& index_name) {
  Set set;
  set.capture.backup_id = id;
  set.capture.archive_id = "0f3c5a7e9b1d2468ace013579bdf2468";
  set.capture.kafka_cluster_id = "MkU3OEVBNTcwNTJENDM2Qg";
  set.capture.captured_at_ms = 1'735'689'600'900;
  set.capture.topics.push_back({.name = "orders",
                                .topic_id = "6f2b1c9d4e5f40718293a4b5c6d7e8f9",
                                .replication_factor = 3,
                                .configs = {{"retention.ms", "604800000"}},
                                .partitions = {{.partition = 0,
                                                .lineage = id,
                                                .start = 100,
                                                .end = 104,
                                                .from = 100,
                                                .leader_epoch = 7,
                                                .lineage_bytes = 19}}});
  set.committed_at_ms = 1'735'689'602'000;
  set.totals = {.records = 3, .raw_bytes = 19, .stored_bytes = 168, .segments = 1, .control = 1};
  set.indexes.push_back({.key = index_name,
                         .sha256 = sha256_hex(index_object),
                         .bytes = index_object.size(),
                         .level = 0,
                         .blocks = 1});
  return {.set = set};
}

void check_example(const std::string& name, const std::string& text) {
  auto fenced = "```\n" + text + (text.ends_with('\n') ? "" : "\n") + "```";
  CHECK_MESSAGE(format_document().find(fenced) != std::string::npos, name, " is to read:\n", fenced);
}

}  // namespace

TEST_CASE("the worked example of the format document is what the code writes") {
  auto segment = example_segment();
  std::string bytes;
  for (auto part : segment->parts) bytes += part;
  CHECK(bytes.size() == 168);
  check_example("the segment", hexdump(bytes));
  auto body = encode_index(segment->index);
  auto name = index_key(id, sha256_hex(body));
  auto index = seal("index", name, {.head = {{"blocks", 1}, {"objects", 1}}, .payload = body});
  check_example("the index", hexdump(index));
  check_example("the decision", seal("decision", decision_key(id),
                                     {.head = schema::write(example_decision(index, name)).get_object()}));
  check_example("the tombstone", seal("tombstone", tombstone_key(id), {}));
}

TEST_CASE("the format document names every field of every document") {
  auto text = format_document();
  auto check_fields = [&](const boost::json::value& value) {
    for (const auto& member : value.get_object())
      CHECK_MESSAGE(text.find(fmt::format("`{}`", std::string_view(member.key()))) != std::string::npos,
                    std::string(member.key()), " is not described");
  };
  check_fields(schema::write(Header{}));
  check_fields(schema::write(Owner{}));
  check_fields(schema::write(Plan{}));
  check_fields(schema::write(Capture{}));
  check_fields(schema::write(CapturedTopic{}));
  check_fields(schema::write(CapturedPartition{}));
  check_fields(schema::write(CapturedGroups{}));
  check_fields(schema::write(CapturedGroup{}));
  check_fields(schema::write(CommittedOffset{}));
  check_fields(schema::write(HeldBack{}));
  check_fields(schema::write(Capture{.acls = CapturedAcls{}, .client_quotas = CapturedQuotas{}}));
  check_fields(schema::write(CapturedAcls{}));
  check_fields(schema::write(CapturedAcl{}));
  check_fields(schema::write(CapturedQuotas{}));
  check_fields(schema::write(CapturedQuota{}));
  check_fields(schema::write(QuotaEntity{.type = {}, .name = ""}));
  check_fields(schema::write(Decision{.set = Set{}}));
  check_fields(schema::write(Set{}));
  check_fields(schema::write(RunTotals{}));
  check_fields(schema::write(IndexReference{}));
}

}  // namespace kb::archive
