// For tests: an archive in memory with real record batches, made through the archive's public functions, and
// ways to damage it. Topic "orders" with two partitions, each with the same offsets. Not thread-safe.
#pragma once
#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "archive/archive.h"
#include "archive/layout.h"
#include "archive/run.h"
#include "archive/segment.h"
#include "engine/block_builder.h"
#include "kafka/record_generator.h"
#include "storage/memory.h"

namespace kb::engine {

class VerifyArchive {
 public:
  VerifyArchive()
      : store(std::make_shared<storage::MemoryStore>(storage::StoreHooks{
            .before = [this](const storage::StoreOperation& operation) { before(operation); }, .after = {}})),
        archive(archive::Archive::open_or_create(
            {}, store, {.cluster_uid = "", .resource_namespace = "default", .name = "a"}, 1735689600000)) {}

  // What the next backups look like.
  std::int64_t records_per_batch = 10;
  std::int64_t offsets_per_segment = 1'000'000;
  std::function<void(archive::Block&)> tamper;    // of every block before it is stored
  std::function<void()> before_first_index_read;  // called once, then empty

  // Begins a run and leaves it undecided.
  archive::Plan begin(const std::string& backup_id, std::int64_t first = 0, std::int64_t next = 0) {
    archive::Plan plan{.capture = {.backup_id = backup_id, .archive_id = archive.header().archive_id}};
    auto base = archive.newest_set({});
    if (base) {
      plan.capture.base = base->capture.backup_id;
      plan.capture.base_sha256 = archive.set_sha256({}, plan.capture.base);
      archive.pin({}, backup_id, plan.capture.base);
    }
    auto lineage = base ? base->capture.topics[0].partitions[0].lineage : backup_id;
    archive::CapturedTopic topic{.name = "orders", .topic_id = std::string(32, '1'), .replication_factor = 1};
    for (std::int32_t partition : {0, 1})
      topic.partitions.push_back(
          {.partition = partition, .lineage = lineage, .start = 0, .end = next, .from = first});
    plan.capture.topics.push_back(std::move(topic));
    return archive.put_plan({}, plan);
  }

  // A run that reads the offsets [first, next) of each partition.
  void back_up(const std::string& backup_id, std::int64_t first, std::int64_t next) {
    auto plan = begin(backup_id, first, next);
    auto writer = archive::ShardWriter::claim({}, archive, backup_id, 0);
    archive::Index all;
    for (auto at = first; at < next; at += offsets_per_segment)
      all.append(put_segment(writer.next_segment_key(), plan, at, std::min(next, at + offsets_per_segment)));
    writer.checkpoint({}, all);
    archive::commit({}, archive, plan, 1735689600000);
  }

  std::vector<std::string> segments_of(const std::string& backup_id) const {
    std::vector<std::string> keys;
    for (const auto& object : store->list({}, archive::segments_prefix()))
      if (backup_id.empty() || archive::backup_id_of(object.key) == backup_id) keys.push_back(object.key);
    return keys;
  }
  std::vector<std::string> segments() const { return segments_of(""); }
  void remove(const std::string& key) { store->remove({}, key); }
  void change(const std::string& key, const std::function<void(std::string&)>& how) {
    auto bytes = *store->get({}, key);
    how(bytes);
    store->overwrite(key, std::move(bytes));
  }

  std::shared_ptr<storage::MemoryStore> store;
  archive::Archive archive;

 private:
  void before(const storage::StoreOperation& operation) {
    if (operation.kind == storage::StoreOperation::Kind::get && before_first_index_read &&
        operation.key.starts_with(archive::indexes_prefix()))
      std::exchange(before_first_index_read, nullptr)();
  }

  archive::Index put_segment(const std::string& key, const archive::Plan& plan, std::int64_t first,
                             std::int64_t next) {
    std::vector<archive::PendingBlock> blocks;
    for (const auto& p : plan.capture.topics[0].partitions) {
      auto answer = std::make_shared<std::string>(batches(first, next));
      auto built = build_blocks({.stream = {"orders", p.partition, p.lineage},
                                 .position = first,
                                 .end = next,
                                 .records = *answer,
                                 .aborted_transactions = {},
                                 .owner = answer},
                                {.encoding = archive::BlockEncoding::zstd});
      for (auto& block : built.blocks) {
        if (tamper) tamper(block.block);
        blocks.push_back(std::move(block));
      }
    }
    auto sealed = archive::seal_segment(key, std::move(blocks));
    store->put_if_absent({}, key, sealed->parts);
    return sealed->index;
  }

  std::string batches(std::int64_t first, std::int64_t next) {
    std::string bytes;
    for (auto at = first; at < next; at += records_per_batch)
      bytes += kafka::make_batch(at, generator_.records(at, std::min(records_per_batch, next - at), false),
                                 {.codec = generator_.codec()});
    return bytes;
  }

  kafka::RecordGenerator generator_{1};
};

}  // namespace kb::engine
