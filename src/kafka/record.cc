#include "kafka/record.h"

#include <algorithm>

#include "base/error.h"
#include "kafka/varint.h"

namespace kb::kafka {

std::string_view inflate_records(const RecordBatch& batch, std::string& scratch, std::size_t bytes_max) try {
  const auto codec = batch.codec();
  // A batch that compaction emptied may keep its codec and has nothing to inflate.
  if (codec == CompressionType::none || batch.record_count() == 0) return batch.payload();
  decompress(codec, batch.payload(), scratch, bytes_max);
  return scratch;
} catch (const Error& error) {
  throw error.while_doing(fmt::format("the batch at offset {}", batch.base_offset()));
}

RecordReader::RecordReader(const RecordBatch& batch, std::string_view records)
    : batch_(batch),
      at_(records.data()),
      end_(records.data() + records.size()),
      base_timestamp_(batch.base_timestamp()),
      log_append_time_(batch.is_log_append_time()) {}

bool RecordReader::next(RecordFrame& frame) {
  if (index_ == batch_.record_count()) {
    if (at_ != end_ && index_ != 0) damaged("bytes follow the last record");
    return false;
  }
  std::int32_t length = 0, offset_delta = 0;
  std::int64_t timestamp_delta = 0;
  if (!read_varint(at_, end_, length)) damaged("its length is cut off");
  if (length < 1 || length > end_ - at_) damaged("its length is impossible");
  const char* const record_end = at_ + length;
  frame.attributes = static_cast<std::int8_t>(*at_++);
  if (!read_varlong(at_, record_end, timestamp_delta)) damaged("its timestamp is cut off");
  if (!read_varint(at_, record_end, offset_delta)) damaged("its offset is cut off");
  if (offset_delta <= previous_delta_ || offset_delta > batch_.last_offset_delta())
    damaged("its offset is out of order or outside of the batch");
  previous_delta_ = offset_delta;
  frame.offset = batch_.base_offset() + offset_delta;
  // Timestamps are added as Java does it, without a sign of overflow: the same sum comes back.
  frame.timestamp = log_append_time_ ? batch_.max_timestamp()
                                     : static_cast<std::int64_t>(static_cast<std::uint64_t>(base_timestamp_) +
                                                                 static_cast<std::uint64_t>(timestamp_delta));
  frame.body = {at_, record_end};
  at_ = record_end;
  ++index_;
  return true;
}

void RecordReader::damaged(std::string_view why) const {
  fail(ErrorKind::corrupt, "the batch at offset {} is damaged at record {} of {}: {}", batch_.base_offset(),
       index_, batch_.record_count(), why);
}

namespace {

class BodyParser {
 public:
  explicit BodyParser(const RecordFrame& frame)
      : offset_(frame.offset), at_(frame.body.data()), end_(at_ + frame.body.size()) {}
  std::optional<std::string_view> nullable_bytes(std::string_view what) {
    const auto length = number(what);
    if (length < 0) return {};
    if (length > end_ - at_) damaged(what);
    const std::string_view bytes(at_, static_cast<std::size_t>(length));
    at_ += length;
    return bytes;
  }
  std::string_view bytes(std::string_view what) {
    const auto bytes = nullable_bytes(what);
    if (!bytes) damaged(what);
    return *bytes;
  }
  // No more items than could fit, each taking two bytes at least.
  std::int32_t count(std::string_view what) {
    const auto count = number(what);
    if (count < 0 || count > (end_ - at_) / 2) damaged(what);
    return count;
  }
  void finish() const {
    if (at_ != end_) damaged("end");
  }

 private:
  std::int32_t number(std::string_view what) {
    std::int32_t value = 0;
    if (!read_varint(at_, end_, value)) damaged(what);
    return value;
  }
  [[noreturn]] void damaged(std::string_view what) const {
    fail(ErrorKind::corrupt, "the record at offset {} is damaged at its {}", offset_, what);
  }

  const std::int64_t offset_;
  const char* at_;
  const char* const end_;
};

void append_varint(std::string& out, std::int64_t value) {
  char bytes[varlong_bytes_max];
  out.append(bytes, write_varlong(bytes, value));
}

void append_bytes(std::string& out, const std::optional<std::string_view>& bytes) {
  append_varint(out, bytes ? static_cast<std::int64_t>(bytes->size()) : -1);
  if (bytes) out.append(*bytes);
}

}  // namespace

Record parse_record(const RecordFrame& frame) {
  BodyParser parser(frame);
  Record record{.offset = frame.offset, .timestamp = frame.timestamp, .attributes = frame.attributes};
  record.key = parser.nullable_bytes("key");
  record.value = parser.nullable_bytes("value");
  const auto headers = parser.count("headers");
  record.headers.reserve(static_cast<std::size_t>(headers));
  for (std::int32_t index = 0; index < headers; ++index) {
    const auto key = parser.bytes("header key");
    record.headers.push_back({key, parser.nullable_bytes("header value")});
  }
  parser.finish();
  return record;
}

void append_body(std::string& out, const Record& record) {
  append_bytes(out, record.key);
  append_bytes(out, record.value);
  append_varint(out, static_cast<std::int64_t>(record.headers.size()));
  for (const auto& header : record.headers) {
    append_bytes(out, header.key);
    append_bytes(out, header.value);
  }
}

}  // namespace kb::kafka
