#include "engine/verify.h"

#include <algorithm>

#include "archive/layout.h"
#include "archive/prune.h"
#include "archive/run.h"
#include "archive/segment.h"
#include "base/error.h"
#include "engine/verify_archive.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::engine;

namespace {

VerifyReport look(const VerifyArchive& made, VerifyDepth depth, std::vector<std::string> ids = {}) {
  ProgressCounters progress;
  return verify({}, made.archive, {.backup_ids = std::move(ids), .depth = depth}, progress);
}

// What both depths find, after checking that deep finds what quick does.
VerifyReport look_twice(const VerifyArchive& made) {
  auto quick = look(made, VerifyDepth::quick);
  auto deep = look(made, VerifyDepth::deep);
  for (const auto& problem : quick.problems)
    CHECK(std::count(deep.problems.begin(), deep.problems.end(), problem) == 1);
  return deep;
}

bool names(const VerifyReport& report, const VerifyProblem& wanted) {
  return std::any_of(report.problems.begin(), report.problems.end(), [&](const VerifyProblem& p) {
    return p.object == wanted.object && p.topic == wanted.topic && p.partition == wanted.partition &&
           p.first_offset == wanted.first_offset && p.last_offset == wanted.last_offset &&
           p.what.find(wanted.what) != std::string::npos;
  });
}

bool sound(const VerifyReport& report, const std::string& id) {
  for (const auto& set : report.sets)
    if (set.backup_id == id) return set.sound;
  FAIL("no such set: " << id);
  return false;
}

}  // namespace

TEST_CASE("a whole archive has no problems and everything in it is counted") {
  VerifyArchive made;
  made.back_up("a-20250101-000001", 0, 100);
  made.back_up("a-20250101-000002", 100, 150);
  auto quick = look(made, VerifyDepth::quick);
  CHECK(quick.problems_total == 0);
  CHECK(quick.sets.size() == 2);
  CHECK(quick.objects == made.segments().size() + 2);  // and an index for each run
  CHECK(quick.batches == 0);
  auto deep = look(made, VerifyDepth::deep);
  CHECK(deep.problems_total == 0);
  CHECK(deep.records == 2 * 150);  // two partitions
  CHECK(deep.batches == 2 * 15);
  CHECK(deep.bytes == quick.bytes);
  CHECK(deep.notes.empty());
}

TEST_CASE("an archive without sets is fine") {
  VerifyArchive made;
  auto report = look(made, VerifyDepth::deep);
  CHECK(report.sets.empty());
  CHECK(report.problems_total == 0);
}

TEST_CASE("only the named sets are looked at; unknown ones are an error") {
  VerifyArchive made;
  made.back_up("a-20250101-000001", 0, 100);
  made.back_up("a-20250101-000002", 100, 150);
  made.remove(made.segments_of("a-20250101-000002").front());
  CHECK(look(made, VerifyDepth::deep, {"a-20250101-000001"}).problems_total == 0);
  CHECK(look(made, VerifyDepth::deep, {"a-20250101-000002"}).problems_total > 0);
  CHECK_THROWS_AS(look(made, VerifyDepth::quick, {"a-20250101-000003"}), Error);
}

TEST_CASE("a missing segment is named with the partitions and offsets that are lost") {
  VerifyArchive made;
  made.back_up("a-20250101-000001", 0, 100);
  made.back_up("a-20250101-000002", 100, 150);
  auto key = made.segments_of("a-20250101-000001").front();
  made.remove(key);
  auto report = look_twice(made);
  CHECK(names(report, {key, "orders", 0, 0, 99, "is missing"}));
  CHECK(names(report, {key, "orders", 1, 0, 99, "is missing"}));
  CHECK_FALSE(sound(report, "a-20250101-000001"));
  CHECK_FALSE(sound(report, "a-20250101-000002"));  // builds on it
}

TEST_CASE("a set that needs nothing of what is damaged stays sound") {
  VerifyArchive made;
  made.back_up("a-20250101-000001", 0, 100);
  made.back_up("a-20250101-000002", 100, 150);
  made.remove(made.segments_of("a-20250101-000002").front());
  auto report = look_twice(made);
  CHECK(sound(report, "a-20250101-000001"));
  CHECK_FALSE(sound(report, "a-20250101-000002"));
}

TEST_CASE("a segment of another length is found by looking it up") {
  VerifyArchive made;
  made.back_up("a-20250101-000001", 0, 100);
  auto key = made.segments().front();
  made.change(key, [](std::string& bytes) { bytes.resize(bytes.size() / 2); });
  auto report = look_twice(made);
  CHECK(names(report, {key, "orders", 0, 0, 99, "bytes instead of"}));
}

TEST_CASE("every flipped bit of a segment is found, and those of blocks with their offsets") {
  VerifyArchive made;
  made.back_up("a-20250101-000001", 0, 100);
  auto key = made.segments().front();
  const auto whole = *made.store->get({}, key);
  auto index = archive::open_segment(key, whole);
  for (std::size_t at = 0; at < whole.size(); at += 11) {
    made.change(key, [&](std::string& bytes) { bytes[at] = static_cast<char>(bytes[at] ^ 0x10); });
    CHECK(look(made, VerifyDepth::quick).problems_total == 0);
    auto report = look(made, VerifyDepth::deep);
    REQUIRE(report.problems_total > 0);
    CHECK(report.problems[0].object == key);
    for (const auto& [stream, blocks] : index.streams)
      for (const auto& block : blocks)
        if (block.position <= at && at < block.position + block.stored_bytes)
          CHECK(names(report, {key, stream.topic, stream.partition, block.first_offset, block.next_offset - 1,
                               "CRC-32C"}));
    made.change(key, [&](std::string& bytes) { bytes = whole; });
  }
}

TEST_CASE("swapped segments of equal length are found") {
  VerifyArchive made;
  made.back_up("a-20250101-000001", 0, 100);
  made.back_up("a-20250101-000002", 100, 200);
  auto first = made.segments_of("a-20250101-000001").front(),
       second = made.segments_of("a-20250101-000002").front();
  auto bytes = *made.store->get({}, first);
  made.change(first, [&](std::string& b) { b = *made.store->get({}, second); });
  made.change(second, [&](std::string& b) { b = bytes; });
  auto report = look(made, VerifyDepth::deep);
  CHECK(names(report, {first, "orders", 0, 0, 99, "holds the segment " + second}));
  CHECK(names(report, {second, "orders", 1, 100, 199, "holds the segment " + first}));
}

TEST_CASE("a block whose batches do not bear out what the index says is found") {
  using Change = std::function<void(archive::Block&)>;
  const std::vector<std::pair<std::string, Change>> changes{
      {"records instead of", [](auto& b) { --b.records, ++b.holes.compacted; }},
      {"newest timestamp", [](auto& b) { ++b.max_timestamp; }},
  };
  for (const auto& [text, change] : changes) {
    VerifyArchive one;
    one.tamper = change;
    one.back_up("a-20250101-000001", 0, 100);
    auto report = look(one, VerifyDepth::deep);
    CHECK(names(report, {one.segments().front(), "orders", 0, 0, 99, text}));
  }
}

TEST_CASE("missing and damaged indexes say which offsets nobody lists any more") {
  for (bool remove : {true, false}) {
    VerifyArchive made;
    made.back_up("a-20250101-000001", 0, 100);
    made.back_up("a-20250101-000002", 100, 150);
    auto key = made.archive.set({}, "a-20250101-000002").indexes.back().key;
    if (remove)
      made.remove(key);
    else
      made.change(key, [](std::string& bytes) { bytes[bytes.size() - 3] ^= 1; });
    auto report = look_twice(made);
    CHECK(names(report, {key, "", -1, -1, -1, remove ? "is missing" : "SHA-256"}));
    CHECK(names(report, {archive::decision_key("a-20250101-000002"), "orders", 1, 100, 149, "no index"}));
    CHECK(sound(report, "a-20250101-000001"));
    CHECK_FALSE(sound(report, "a-20250101-000002"));
  }
}

TEST_CASE("a damaged set hides no other") {
  VerifyArchive made;
  made.back_up("a-20250101-000001", 0, 100);
  made.back_up("a-20250101-000002", 100, 150);
  auto key = archive::decision_key("a-20250101-000001");
  made.change(key, [](std::string& bytes) { bytes[bytes.size() / 2] ^= 1; });
  auto report = look_twice(made);
  CHECK(names(report, {key, "", -1, -1, -1, "SHA-256 does not match its content"}));
  CHECK(names(report, {key, "", -1, -1, -1, "not the one that backup a-20250101-000002 recorded"}));
  CHECK(report.records == 2 * 150);  // all is read, through the second
  CHECK_FALSE(sound(report, "a-20250101-000001"));
  CHECK(sound(report, "a-20250101-000002"));
}

TEST_CASE("a set of another archive is found") {
  VerifyArchive made, other;
  other.back_up("a-20250101-000001", 0, 100);
  for (const auto& object : other.store->list({}, ""))
    if (object.key != archive::header_key())
      made.store->put_if_absent({}, object.key, *other.store->get({}, object.key));
  auto report = look_twice(made);
  CHECK(names(report, {archive::decision_key("a-20250101-000001"), "", -1, -1, -1, "another archive"}));
}

TEST_CASE("what is not finished or not needed is a note") {
  VerifyArchive made;
  made.back_up("a-20250101-000001", 0, 100);
  made.begin("a-20250101-000002");
  made.store->put_if_absent({}, archive::segment_key("a-20250101-000001", 0, 9, 9), "left behind");
  auto report = look_twice(made);
  CHECK(report.problems_total == 0);
  REQUIRE(report.notes.size() == 2);
  CHECK(report.notes[0].find("a-20250101-000002 was not finished") != std::string::npos);
  CHECK(report.notes[1].find("1 segments with 11 bytes") != std::string::npos);
}

TEST_CASE("a list of problems has an end") {
  VerifyArchive made;
  made.offsets_per_segment = 1;
  made.records_per_batch = 1;
  made.back_up("a-20250101-000001", 0, 1100);
  for (const auto& key : made.segments()) made.remove(key);
  auto report = look(made, VerifyDepth::deep);
  CHECK(report.problems.size() == VerifyReport::problems_max);
  CHECK(report.problems_total == 2200);
}

TEST_CASE("verification can be stopped") {
  VerifyArchive made;
  made.back_up("a-20250101-000001", 0, 100);
  std::stop_source stop;
  stop.request_stop();
  ProgressCounters progress;
  CHECK_THROWS_AS(verify({.stop = stop.get_token()}, made.archive, {}, progress), Error);
}

TEST_CASE("a set that is deleted while it is verified is no damage") {
  VerifyArchive made;
  made.back_up("a-20250101-000001", 0, 100);
  made.back_up("a-20250101-000002", 100, 150);
  made.before_first_index_read = [&] {
    archive::prune({}, made.archive, {"a-20250101-000002"}, archive::PruneMode::act);
  };
  auto report = look(made, VerifyDepth::deep);
  CHECK_FALSE(made.before_first_index_read);  // it was called
  CHECK(report.problems_total == 0);
  CHECK(report.sets.size() == 1);
}
