#include "kafka/record_batch.h"

#include <limits>

#include "base/checksum.h"
#include "base/error.h"

namespace kb::kafka {
namespace {

namespace at = batch_layout;
constexpr std::int8_t magic_supported = 2;
constexpr std::int32_t batch_length_min = at::records - at::uncounted_bytes;

// What the CRC covers of the header, that is all of it that may change under a payload that stays.
std::string_view header_under_crc(std::string_view batch) {
  return batch.substr(at::attributes, batch_header_bytes - at::attributes);
}

void check_magic(std::string_view batch) {
  const auto magic = read_big_endian<std::int8_t>(batch.data() + at::magic);
  if (magic == magic_supported) return;
  const auto base_offset = read_big_endian<std::int64_t>(batch.data());
  if (magic == 0 || magic == 1)
    throw Error(ErrorKind::invalid,
                fmt::format("the batch at offset {} has message format version {}, only {} is supported",
                            base_offset, magic, magic_supported),
                "it was written before Kafka 0.11 or under a message.format.version below it");
  fail(ErrorKind::corrupt, "the batch at offset {} claims the unknown message format version {}", base_offset,
       magic);
}

}  // namespace

void RecordBatch::check_header() const {
  const auto base = base_offset();
  const auto delta = last_offset_delta(), count = record_count();
  if (base < 0 ||
      base > std::numeric_limits<std::int64_t>::max() - std::numeric_limits<std::int32_t>::max() - 1)
    fail(ErrorKind::corrupt, "a batch claims the impossible offset {}", base);
  if (delta < 0 || count < 0 || count > static_cast<std::int64_t>(delta) + 1)
    fail(ErrorKind::corrupt, "the batch at offset {} claims {} records up to its offset delta {}", base,
         count, delta);
}

std::optional<std::uint32_t> RecordBatch::checked_crc32c() const {
  auto covered = bytes_.substr(at::attributes);
  if (crc32c(covered) != crc()) return {};
  // Below this size the bytes are still near, and reading them again costs less than combining.
  constexpr std::size_t combined_bytes_min = 16 * 1024;
  if (covered.size() < combined_bytes_min) return crc32c(bytes_);
  return crc32c_combine(crc32c(bytes_.substr(0, at::attributes)), crc(), covered.size());
}

std::optional<RecordBatch> next_batch(std::string_view& rest) {
  if (rest.size() > at::magic) check_magic(rest);
  if (rest.size() < at::uncounted_bytes) return {};
  const auto length = read_big_endian<std::int32_t>(rest.data() + at::batch_length);
  if (length < batch_length_min)
    fail(ErrorKind::corrupt, "the batch at offset {} claims the impossible length {}",
         read_big_endian<std::int64_t>(rest.data()), length);
  const auto size = at::uncounted_bytes + static_cast<std::size_t>(length);
  if (rest.size() < size) return {};
  const RecordBatch batch(rest.substr(0, size));
  batch.check_header();
  rest.remove_prefix(size);
  return batch;
}

RecordBatch RecordBatch::whole(std::string_view bytes) {
  const auto size = bytes.size();
  const auto batch = next_batch(bytes);
  if (!batch || !bytes.empty()) fail(ErrorKind::corrupt, "{} bytes are not exactly one record batch", size);
  return *batch;
}

void restamp(std::span<char> batch, const ProducerStamp& stamp) {
  const std::string_view bytes(batch.data(), batch.size());
  CHECK(bytes.size() >= batch_header_bytes);
  const auto before = crc32c(header_under_crc(bytes));
  const auto attributes = read_big_endian<std::int16_t>(bytes.data() + at::attributes);
  constexpr std::int16_t kept = ~RecordBatch::transactional_bit;
  write_big_endian<std::int64_t>(batch.data(), 0);
  write_big_endian<std::int32_t>(batch.data() + at::leader_epoch, -1);
  write_big_endian(batch.data() + at::attributes, static_cast<std::int16_t>(attributes & kept));
  write_big_endian(batch.data() + at::producer_id, stamp.producer_id);
  write_big_endian(batch.data() + at::producer_epoch, stamp.producer_epoch);
  write_big_endian(batch.data() + at::base_sequence, stamp.base_sequence);
  // crc(header ++ payload) = shift(crc(header)) ^ crc(payload), so the difference of two headers alone
  // decides.
  const auto change = before ^ crc32c(header_under_crc(bytes));
  const auto crc = read_big_endian<std::uint32_t>(bytes.data() + at::crc);
  write_big_endian(batch.data() + at::crc, crc32c_combine(change, crc, bytes.size() - batch_header_bytes));
}

void write_header(std::span<char> batch, const BatchHeader& header) {
  CHECK(batch.size() >= batch_header_bytes);
  CHECK(batch.size() <= std::numeric_limits<std::int32_t>::max());
  char* to = batch.data();
  write_big_endian(to, header.base_offset);
  write_big_endian(to + at::batch_length, static_cast<std::int32_t>(batch.size() - at::uncounted_bytes));
  write_big_endian(to + at::leader_epoch, header.leader_epoch);
  write_big_endian(to + at::magic, magic_supported);
  write_big_endian(to + at::attributes, header.attributes);
  write_big_endian(to + at::last_offset_delta, header.last_offset_delta);
  write_big_endian(to + at::base_timestamp, header.base_timestamp);
  write_big_endian(to + at::max_timestamp, header.max_timestamp);
  write_big_endian(to + at::producer_id, header.producer.producer_id);
  write_big_endian(to + at::producer_epoch, header.producer.producer_epoch);
  write_big_endian(to + at::base_sequence, header.producer.base_sequence);
  write_big_endian(to + at::record_count, header.record_count);
  write_big_endian(to + at::crc, crc32c(std::string_view(batch.data(), batch.size()).substr(at::attributes)));
}

}  // namespace kb::kafka
