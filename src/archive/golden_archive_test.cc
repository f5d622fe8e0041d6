// tests/data/archives/v1 was written once, by KB_WRITE_GOLDEN=DIRECTORY archive_test -tc="golden*" at version
// 1 of the format, and is never written again: whatever this program becomes, it reads it.
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>
#include <lz4frame.h>
#include <zstd.h>

#include "archive/layout.h"
#include "archive/prune.h"
#include "archive/sample_batch.h"
#include "archive/sample_run.h"
#include "base/checksum.h"
#include "base/error.h"
#include "base/temporary_directory.h"
#include "storage/open.h"

#include <doctest/doctest.h>

namespace kb::archive {
namespace {

const Owner owner{
    .cluster_uid = "5f0c7a3e-1111-4222-8333-abcdefabcdef", .resource_namespace = "kafka", .name = "gold"};

std::string id_of(int day) {
  return fmt::format("gold-202501{:02}-000000", day);
}

std::filesystem::path golden_directory() {
  return std::filesystem::path(__FILE__).parent_path() / "../../tests/data/archives/v1";
}

// --- writing

std::string encode(BlockEncoding encoding, const std::string& raw) {
  if (encoding == BlockEncoding::as_is) return raw;
  std::string out(ZSTD_compressBound(raw.size()) + LZ4F_compressFrameBound(raw.size(), nullptr), 0);
  auto bytes = encoding == BlockEncoding::zstd
                   ? ZSTD_compress(out.data(), out.size(), raw.data(), raw.size(), 3)
                   : LZ4F_compressFrame(out.data(), out.size(), raw.data(), raw.size(), nullptr);
  out.resize(bytes);
  return out;
}

// Batches of up to five records; the encoding goes by the offset.
PendingBlock golden_block(const StreamId& stream, std::int64_t first, std::int64_t next) {
  std::string raw;
  for (auto at = first; at < next; at += 5)
    raw += sample::make_batch(stream.topic, stream.partition, at, std::min(at + 5, next));
  PendingBlock pending{.stream = stream};
  auto& block = pending.block;
  block = {.first_offset = first, .next_offset = next, .records = static_cast<std::uint64_t>(next - first)};
  block.base_timestamp_min = sample::timestamp_at(first);
  block.max_timestamp = sample::timestamp_at(next - 1);
  block.leader_epoch = 3;
  block.encoding = static_cast<BlockEncoding>(first / 10 % 3);
  if (block.encoding == BlockEncoding::zstd) block.inflated_from = 1;
  auto stored = std::make_shared<std::string>(encode(block.encoding, raw));
  block.raw_bytes = static_cast<std::uint32_t>(raw.size());
  block.stored_bytes = static_cast<std::uint32_t>(stored->size());
  pending.parts = {*stored};
  pending.owners = {stored};
  return pending;
}

// Every tenth offset from 9 on is a marker; retention has taken what orders/0 had before `lost_to`.
std::vector<PendingBlock> golden_blocks(const StreamId& stream, const CapturedPartition& p,
                                        std::int64_t lost_to) {
  std::vector<PendingBlock> blocks;
  auto at = p.from;
  if (lost_to > at && stream.topic == "orders" && stream.partition == 0) {
    blocks.push_back(sample::lost_block(stream, at, lost_to));
    at = lost_to;
  }
  for (; at < p.end; at = blocks.back().block.next_offset) {
    auto marker = at / 10 * 10 + 9;
    if (at == marker)
      blocks.push_back(
          {.stream = stream, .block = {.first_offset = at, .next_offset = at + 1, .holes = {.control = 1}}});
    else
      blocks.push_back(golden_block(stream, at, std::min(marker, p.end)));
  }
  return blocks;
}

void store_shard(const Archive& archive, const Plan& plan, int shard, std::int64_t lost_to) {
  auto writer = ShardWriter::claim({}, archive, plan.capture.backup_id, shard);
  for (const auto& topic : plan.capture.topics) {
    for (const auto& p : topic.partitions) {
      if (p.shard != shard || p.from == p.end) continue;
      StreamId stream{topic.name, p.partition, p.lineage};
      writer.checkpoint({}, sample::store_segment({}, archive, writer, golden_blocks(stream, p, lost_to)));
    }
  }
}

Plan golden_plan(const Archive& archive, sample::Cluster cluster, int day, int shards) {
  auto base = archive.newest_set({});
  std::optional<sample::Base> pinned;
  if (base) {
    archive.pin({}, id_of(day), base->capture.backup_id);
    pinned = {*base, archive.set_sha256({}, base->capture.backup_id)};
  }
  auto plan =
      sample::make_plan(cluster, archive, id_of(day), pinned ? &*pinned : nullptr, shards, 1000 * day);
  plan.capture.topics[0].configs = {{"retention.ms", "1000"}, {"cleanup.policy", "compact"}};
  plan.capture.missing_topics = {"absent"};
  plan.capture.groups = {.captured = true,
                         .groups = {{.group_id = "readers",
                                     .protocol_type = "consumer",
                                     .state = "Stable",
                                     .offsets = {{"orders", 0, 7, 3, "not UTF-8: \xff"}}},
                                    {.group_id = "others", .not_captured = "denied"}}};
  return archive.put_plan({}, plan);
}

// Ten runs: incremental, of one and two shards, a topic created again, lost records, an abandoned run, a
// deleted one and one that is not finished.
void write_golden(std::shared_ptr<storage::ObjectStore> store) {
  auto archive = Archive::open_or_create({}, std::move(store), owner, 1);
  sample::Cluster cluster{{.name = "orders", .partitions = {{0, 12}, {3, 8}, {4, 4}}},
                          {.name = "payments", .partitions = {{100, 125}}}};
  for (int day = 1; day <= 10; ++day) {
    if (day == 3) cluster[0] = {.name = "orders", .incarnation = 2, .partitions = {{0, 3}, {0, 0}, {0, 41}}};
    auto plan = golden_plan(archive, cluster, day, 1 + day % 2);
    for (int shard = 0; shard < plan.shards; ++shard) store_shard(archive, plan, shard, day == 4 ? 6 : 0);
    if (day == 5)
      archive.decide({}, id_of(day), {.abandoned = "for the golden archive"});
    else if (day != 10)
      commit({}, archive, plan, 1000 * day + 500);
    cluster[0].partitions[0].end += 11;
    cluster[1].partitions[0].start += 3;
    cluster[1].partitions[0].end += 7;
    if (day == 9) prune({}, archive, {id_of(1), id_of(8)}, PruneMode::act);
  }
}

// --- reading

std::string decode(const Block& block, std::string_view stored) {
  std::string raw(block.raw_bytes, 0);
  if (block.encoding == BlockEncoding::zstd) {
    REQUIRE(ZSTD_decompress(raw.data(), raw.size(), stored.data(), stored.size()) == raw.size());
  } else if (block.encoding == BlockEncoding::lz4) {
    LZ4F_dctx* context = nullptr;
    LZ4F_createDecompressionContext(&context, LZ4F_VERSION);
    auto room = raw.size(), taken = stored.size();
    CHECK(LZ4F_decompress(context, raw.data(), &room, stored.data(), &taken, nullptr) == 0);
    LZ4F_freeDecompressionContext(context);
    CHECK(room == raw.size());
  } else {
    raw = stored;
  }
  return raw;
}

// Checks all that a set holds; gives its records and the SHA-256 of its batches in order.
std::string read_set(const Archive& archive, const Set& set) {
  auto index = archive.load_index({}, set);
  std::string all;
  std::uint64_t records = 0;
  for (const auto& topic : set.capture.topics) {
    for (const auto& p : topic.partitions) {
      const auto& blocks = index.streams[{topic.name, p.partition, p.lineage}];
      CHECK(first_uncovered(blocks, {p.start, p.end}) == p.end);
      for (const auto& block : blocks) {
        records += block.records;
        if (block.object == Block::no_object) continue;
        auto object = *archive.store().get({}, index.objects.at(block.object).key);
        CHECK_NOTHROW(open_segment(index.objects[block.object].key, object));
        auto raw = decode(block, std::string_view(object).substr(block.position, block.stored_bytes));
        CHECK(sample::count_records(raw) == block.records);
        all += raw;
      }
    }
  }
  return fmt::format("{} {} {}", set.indexes.size(), records, sha256_hex(all).substr(0, 16));
}

std::string read_all(const Archive& archive) {
  std::string sets;
  for (const auto& set : archive.sets({}))
    sets += fmt::format("{} {}\n", set.capture.backup_id, read_set(archive, set));
  return sets;
}

// Backup id, number of indexes, records, first digits of the SHA-256 of all batches.
const std::string expected =
    "gold-20250102-000000 2 55 359546536cf0f448\n"
    "gold-20250103-000000 3 76 8e3db9cbf7bfbc4c\n"
    "gold-20250104-000000 4 80 cdd3cd45da5be51b\n"
    "gold-20250106-000000 5 112 721b79308110f720\n"
    "gold-20250107-000000 6 129 3887db8ba3610eb4\n"
    "gold-20250109-000000 1 152 5eb21aafdc638d95\n";

}  // namespace

TEST_CASE("golden: the archive that version 1 wrote is read") {
  auto archive = Archive::open({}, storage::open_filesystem(golden_directory().string()));
  CHECK(archive.header().owner == owner);
  CHECK(read_all(archive) == expected);
  auto catalog = archive.catalog({});
  CHECK(catalog.deleted == std::vector{id_of(1), id_of(8)});
  CHECK(catalog.undecided == std::vector{id_of(10)});
  CHECK(archive.decision({}, id_of(5))->abandoned == "for the golden archive");
  auto set = archive.set({}, id_of(9));
  CHECK(set.capture.groups.groups.at(0).offsets.at(0).metadata == "not UTF-8: \xff");
  CHECK(set.capture.groups.groups.at(1).not_captured == "denied");
  CHECK(set.capture.topics.at(0).configs.at("cleanup.policy") == "compact");
  CHECK(set.capture.missing_topics == std::vector<std::string>{"absent"});
  CHECK(read_checkpoints({}, archive, id_of(10), 0).block_count() > 0);
  CHECK(prune({}, archive, {id_of(2)}, PruneMode::dry_run).objects > 0);
}

TEST_CASE("golden: a new archive of the same runs holds the same") {
  const char* wanted = std::getenv("KB_WRITE_GOLDEN");
  TemporaryDirectory temporary;
  auto store = storage::open_filesystem(wanted ? std::string(wanted) : temporary.path());
  write_golden(store);
  CHECK(read_all(Archive::open({}, store)) == expected);
  // Bytes are compared in format_example_test.cc: those of compressed blocks are the business of their
  // libraries.
  auto golden = storage::open_filesystem(golden_directory().string());
  for (const auto& prefix :
       {segments_prefix(), runs_prefix(), pins_prefix(), decisions_prefix(), tombstones_prefix()}) {
    auto old_objects = golden->list({}, prefix), new_objects = store->list({}, prefix);
    REQUIRE(old_objects.size() == new_objects.size());
    for (std::size_t i = 0; i < old_objects.size(); ++i) CHECK(old_objects[i].key == new_objects[i].key);
  }
}

}  // namespace kb::archive
