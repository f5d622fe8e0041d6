#include "archive/document.h"

#include <functional>

#include "archive/set.h"
#include "archive/typed_document.h"
#include "base/checksum.h"

#include <doctest/doctest.h>

namespace kb::archive {
namespace {

const std::string key = "runs/nightly-20250101-000000/plan";

std::pair<ErrorKind, std::string> refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return {error.kind(), error.what()};
  }
  return {ErrorKind::internal, "no error"};
}

std::string envelope(const std::string& json) {
  auto body = json + "\n";
  return fmt::format("kafka-backup-archive/1 archive archive {}\n{}", sha256_hex(body), body);
}

}  // namespace

TEST_CASE("a document comes back as it was") {
  Document document{.head = {{"a", 1}, {"b", "line\nbreak"}}, .payload = std::string("\0\n\xff binary", 10)};
  auto found = unseal("plan", key, seal("plan", key, document));
  CHECK(found.head == document.head);
  CHECK(found.payload == document.payload);
}

TEST_CASE("damage of any bit of a document is found, and so is any other length") {
  const auto bytes = seal("plan", key, {.head = {{"backupId", "x"}}, .payload = "payload"});
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    auto [kind, text] = refusal([&] { unseal("plan", key, damaged); });
    REQUIRE((kind == ErrorKind::corrupt || kind == ErrorKind::invalid));
    REQUIRE(text.find(key) != std::string::npos);
  }
  for (std::size_t length = 0; length < bytes.size(); ++length)
    REQUIRE(refusal([&] { unseal("plan", key, bytes.substr(0, length)); }).first == ErrorKind::corrupt);
  CHECK(refusal([&] { unseal("plan", key, bytes + "\n"); }).first == ErrorKind::corrupt);
}

TEST_CASE("a document of another name, kind or format is not taken for this one") {
  auto bytes = seal("plan", key, {});
  CHECK(refusal([&] { unseal("decision", key, bytes); }).first == ErrorKind::corrupt);
  auto swapped = refusal([&] { unseal("plan", "runs/other-20250101-000000/plan", bytes); });
  CHECK(swapped.second == "object runs/other-20250101-000000/plan holds plan " + key);
  bytes.replace(0, 22, "kafka-backup-archive/2");
  CHECK(refusal([&] { unseal("plan", key, bytes); }).first == ErrorKind::invalid);
  CHECK(refusal([&] { unseal("plan", key, "#!/bin/sh\n"); }).second.find("is not an object of an archive") !=
        std::string::npos);
}

TEST_CASE("strings that are not UTF-8 survive") {
  Set set;
  set.capture.groups.groups.push_back(
      {.group_id = "g\xff", .offsets = {{.topic = "t", .metadata = std::string("\xc3\x28\0\x01", 4)}}});
  Decision decision{.set = set};
  auto bytes = seal("decision", key, {.head = schema::write(decision).get_object()});
  auto found = parse_document<Decision>("decision", key, bytes);
  const auto& group = found.set->capture.groups.groups.at(0);
  CHECK(group.group_id == "g\xff");
  CHECK(group.offsets.at(0).metadata == std::string("\xc3\x28\0\x01", 4));
}

TEST_CASE("64-bit numbers stay exact") {
  Decision decision{.set = Set{}};
  decision.set->committed_at_ms = std::numeric_limits<std::int64_t>::min();
  decision.set->totals.raw_bytes = std::numeric_limits<std::uint64_t>::max();
  auto bytes = seal("decision", key, {.head = schema::write(decision).get_object()});
  auto found = parse_document<Decision>("decision", key, bytes);
  CHECK(found.set->committed_at_ms == decision.set->committed_at_ms);
  CHECK(found.set->totals.raw_bytes == decision.set->totals.raw_bytes);
}

TEST_CASE("fields of a newer minor version are ignored, wrong types are damage") {
  auto read = [](const std::string& json) {
    return parse_document<Header>("archive", "archive", envelope(json));
  };
  CHECK(read(R"({"archiveId":"a","later":[1]})").archive_id == "a");
  auto [kind, text] = refusal([&] { read(R"({"owner":{"name":5}})"); });
  CHECK(kind == ErrorKind::corrupt);
  CHECK(text.find("owner.name") != std::string::npos);
  CHECK(refusal([&] { read("[]"); }).first == ErrorKind::corrupt);
  CHECK(refusal([&] { read("{"); }).first == ErrorKind::corrupt);
}

}  // namespace kb::archive
