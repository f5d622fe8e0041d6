#include "kafka/rebatch.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace kb::kafka {
namespace {

// A thread's memory for inflating is kept up to this size.
constexpr std::size_t scratch_kept_bytes = 8 * 1024 * 1024;

std::string_view view(std::span<const char> bytes) {
  return {bytes.data(), bytes.size()};
}

}  // namespace

Rebatcher::Rebatcher(const RebatchSettings& settings, std::int64_t skip_records)
    : settings_(settings), skip_(skip_records) {
  CHECK(skip_records >= 0);
}

void Rebatcher::add(StoredBatch stored) {
  const auto batch = RecordBatch::whole(view(stored.bytes));
  if (batch.is_control())
    fail(ErrorKind::corrupt, "the batch at offset {} is a control batch, not records", batch.base_offset());
  const auto count = batch.record_count();
  ++counts_.batches_in;
  counts_.records_in += count;
  const OffsetRange wanted{.from = std::max(stored.clip.from, batch.base_offset()),
                           .to = std::min(stored.clip.to, batch.next_offset())};
  if (count == 0) return;
  if (wanted.from >= wanted.to) {
    counts_.records_clipped += count;
    return;
  }
  check_order(batch, wanted);
  const bool whole = wanted == OffsetRange{batch.base_offset(), batch.next_offset()};
  if (whole && skip_ >= count) {
    skip_ -= count;
    counts_.records_skipped += count;
    return;
  }
  const bool passes = passable(batch, wanted);
  if (small(batch)) return join_group(std::move(stored), passes);
  close_group();
  if (passes) return pass(std::move(stored));
  decode(stored);
  close_run();
}

void Rebatcher::flush() {
  close_group();
  source_end_ = 0;
}

void Rebatcher::keep_small() {
  if (!alone_) return;
  auto copy = std::make_shared<std::string>(view(alone_->bytes));
  alone_->bytes = {copy->data(), copy->size()};
  alone_->owner = std::move(copy);
}

std::optional<OutputBatch> Rebatcher::take() {
  if (ready_.empty()) return {};
  auto output = std::move(ready_.front());
  ready_.pop_front();
  return output;
}

void Rebatcher::check_order(const RecordBatch& batch, const OffsetRange& wanted) {
  if (wanted.from < source_end_)
    fail(ErrorKind::corrupt, "the batch at offset {} comes after offset {}", batch.base_offset(),
         source_end_ - 1);
  source_end_ = wanted.to;
}

bool Rebatcher::passable(const RecordBatch& batch, const OffsetRange& wanted) const {
  const bool whole = wanted.from == batch.base_offset() && wanted.to == batch.next_offset();
  return whole && skip_ == 0 && batch.is_dense() && !batch.is_log_append_time() &&
         !batch.has_delete_horizon() && batch.size_bytes() <= settings_.max_message_bytes;
}

bool Rebatcher::small(const RecordBatch& batch) const {
  return batch.size_bytes() < (batch.codec() == CompressionType::none
                                   ? settings_.merge_below_bytes
                                   : settings_.merge_compressed_below_bytes);
}

bool Rebatcher::fits_group(const RecordBatch& batch) const {
  const auto bytes_max = std::min(settings_.merged_bytes_max, settings_.max_message_bytes);
  return codec_ == batch.codec() && group_bytes_ + batch.size_bytes() <= bytes_max &&
         group_records_ + static_cast<std::uint64_t>(batch.record_count()) <= settings_.merged_records_max &&
         run_.size_bytes() < settings_.merged_inflated_bytes_max;
}

void Rebatcher::join_group(StoredBatch stored, bool passable) {
  const auto batch = RecordBatch::whole(view(stored.bytes));
  if (group_bytes_ != 0 && !fits_group(batch)) close_group();
  const bool first = group_bytes_ == 0;
  group_bytes_ += batch.size_bytes();
  group_records_ += static_cast<std::uint64_t>(batch.record_count());
  if (first && passable) {
    codec_ = batch.codec();
    alone_ = std::move(stored);
    return;
  }
  if (alone_) decode(*std::exchange(alone_, {}));
  decode(stored);
}

void Rebatcher::close_group() {
  if (alone_) pass(*std::exchange(alone_, {}));
  close_run();
  group_bytes_ = 0;
  group_records_ = 0;
}

void Rebatcher::pass(StoredBatch stored) {
  const auto batch = RecordBatch::whole(view(stored.bytes));
  ++counts_.batches_passed;
  ++counts_.batches_out;
  counts_.records_out += batch.record_count();
  ready_.push_back({.bytes = stored.bytes,
                    .owner = std::move(stored.owner),
                    .record_count = batch.record_count(),
                    .source = {batch.base_offset(), batch.next_offset()}});
}

// A record that is written anew gets a new CRC: so the old one is checked, or damage would be sealed as good.
void Rebatcher::decode(const StoredBatch& stored) {
  const auto batch = RecordBatch::whole(view(stored.bytes));
  if (!batch.crc_matches())
    fail(ErrorKind::corrupt, "the batch at offset {} does not match its CRC-32C", batch.base_offset());
  ++counts_.batches_decoded;
  codec_ = batch.codec();
  thread_local std::string scratch;
  RecordReader reader(batch, inflate_records(batch, scratch, settings_.inflated_bytes_max));
  for (RecordFrame frame; reader.next(frame);) {
    if (!stored.clip.contains(frame.offset)) {
      ++counts_.records_clipped;
    } else if (skip_ > 0) {
      --skip_;
      ++counts_.records_skipped;
    } else {
      append(frame);
    }
  }
  if (scratch.capacity() > scratch_kept_bytes) std::string().swap(scratch);
}

void Rebatcher::append(const RecordFrame& frame) {
  RecordFrame moved = frame;
  moved.offset = run_.record_count();
  // Compressed runs are measured when they are compressed; the bound on what a batch inflates to is theirs.
  const bool full =
      codec_ == CompressionType::none && run_.size_bytes_with(moved) > settings_.max_message_bytes;
  if (full && run_.record_count() > 0) {
    close_run();
    return append(frame);
  }
  if (full)
    throw Error(
        ErrorKind::invalid,
        fmt::format("the record at offset {} needs a batch of {} bytes, more than max.message.bytes {}",
                    frame.offset, run_.size_bytes_with(moved), settings_.max_message_bytes),
        "raise max.message.bytes of the target topic");
  if (stretches_.empty() || frame.offset != stretch_end_)
    stretches_.push_back({.first_record = run_.record_count(), .source_offset = frame.offset});
  stretch_end_ = frame.offset + 1;
  run_.add(moved);
}

void Rebatcher::close_run() {
  if (const auto count = run_.record_count(); count > 0) {
    auto bytes = run_.take_uncompressed();
    if (codec_ == CompressionType::none)
      emit(std::move(bytes), 0, count);
    else
      emit_compressed(RecordBatch::whole(bytes), 0);
  }
  stretches_.clear();
}

// `records` is a batch that is not compressed and has the right deltas; `first_record` is the place of its
// first record in the run.
void Rebatcher::emit_compressed(const RecordBatch& records, std::int32_t first_record) {
  const BatchHeader header{.last_offset_delta = records.last_offset_delta(),
                           .base_timestamp = records.base_timestamp(),
                           .max_timestamp = records.max_timestamp(),
                           .record_count = records.record_count()};
  auto bytes = encode_batch(header, records.payload(), codec_);
  if (bytes.size() > settings_.max_message_bytes && header.record_count > 1)
    return emit_halves(records, first_record);
  // One record, which the source's producer may have compressed harder than we do by default.
  if (bytes.size() > settings_.max_message_bytes)
    bytes = encode_batch(header, records.payload(), codec_, strongest_level(codec_));
  if (bytes.size() > settings_.max_message_bytes)
    throw Error(
        ErrorKind::invalid,
        fmt::format("the record at offset {} needs a {} batch of {} bytes, more than max.message.bytes {}",
                    source_offset(first_record), name(codec_), bytes.size(), settings_.max_message_bytes),
        "raise max.message.bytes of the target topic");
  emit(std::move(bytes), first_record, header.record_count);
}

void Rebatcher::emit_halves(const RecordBatch& records, std::int32_t first_record) {
  RecordBatchBuilder half;
  std::int32_t in_first_half = 0;
  RecordReader reader(records, records.payload());
  for (RecordFrame frame; reader.next(frame);) {
    const bool half_full =
        half.size_bytes() >= records.size_bytes() / 2 || frame.offset == records.last_offset();
    if (in_first_half == 0 && half.record_count() > 0 && half_full) {
      in_first_half = half.record_count();
      emit_compressed(RecordBatch::whole(half.take_uncompressed()), first_record);
    }
    frame.offset -= in_first_half;
    half.add(frame);
  }
  emit_compressed(RecordBatch::whole(half.take_uncompressed()), first_record + in_first_half);
}

void Rebatcher::emit(std::string bytes, std::int32_t first_record, std::int32_t count) {
  ++counts_.batches_out;
  counts_.records_out += count;
  const auto owned = std::make_shared<std::string>(std::move(bytes));
  ready_.push_back({.bytes = {owned->data(), owned->size()},
                    .owner = owned,
                    .record_count = count,
                    .source = {source_offset(first_record), source_offset(first_record + count - 1) + 1}});
}

std::int64_t Rebatcher::source_offset(std::int32_t record) const {
  const auto after = std::ranges::upper_bound(stretches_, record, {}, &Stretch::first_record);
  CHECK(after != stretches_.begin());
  const auto& stretch = *std::prev(after);
  return stretch.source_offset + record - stretch.first_record;
}

}  // namespace kb::kafka
