#include "kafka/codec.h"

#include <algorithm>
#include <cstring>

namespace kb::kafka {
namespace {
// Compact lengths could say more, but Kafka refuses it in every version.
constexpr std::size_t string_bytes_max = std::numeric_limits<int16_t>::max();
}  // namespace

std::vector<std::string_view> WireBytes::parts() const {
  std::vector<std::string_view> parts;
  parts.reserve(2 * references_.size() + 1);
  std::size_t from = 0;
  const std::string_view own = own_;
  for (const auto& [at, bytes] : references_) {
    if (at > from) parts.push_back(own.substr(from, at - from));
    parts.push_back(bytes);
    from = at;
  }
  if (own.size() > from) parts.push_back(own.substr(from));
  return parts;
}

std::string WireBytes::str() const {
  std::string all;
  all.reserve(size());
  for (const std::string_view part : parts()) all += part;
  return all;
}

WireBytes Encoder::take_framed() && {
  const std::size_t bytes = out_.size() - frame_prefix_bytes;
  if (bytes > static_cast<std::size_t>(std::numeric_limits<int32_t>::max()))
    fail(ErrorKind::invalid, "a Kafka request of {} bytes is larger than the protocol allows", bytes);
  for (std::size_t i = 0; i < frame_prefix_bytes; ++i)
    out_.own_[i] = static_cast<char>(bytes >> (8 * (frame_prefix_bytes - 1 - i)));
  return std::move(out_);
}

void Encoder::put_tags() {
  std::ranges::sort(tags_, {}, [](const auto& tag) { return tag.first; });
  put_uvarint(tags_.size());
  for (const auto& [tag, body] : tags_) {
    put_uvarint(tag);
    put_uvarint(body.size());
    out_.own_ += body;
  }
}

void Encoder::put_bytes(std::string_view bytes, LengthWidth width) {
  if (width == LengthWidth::int16 && bytes.size() > string_bytes_max)
    fail(ErrorKind::invalid,
         "a string of {} bytes is longer than the {} that the Kafka protocol allows: {}...", bytes.size(),
         string_bytes_max, bytes.substr(0, 60));
  put_length(bytes.size(), width);
  out_.own_ += bytes;
}

void Encoder::put_records(const Records& records) {
  put_length(records.bytes.size(), LengthWidth::int32);
  if (records.bytes.empty()) return;
  out_.references_.push_back({out_.own_.size(), records.bytes});
  out_.referenced_bytes_ += records.bytes.size();
}

void Encoder::put_length(std::size_t n, LengthWidth width) {
  CHECK(n < static_cast<std::size_t>(std::numeric_limits<int32_t>::max()));
  if (flexible_) return put_uvarint(n + 1);
  if (width == LengthWidth::int16) return put_int(static_cast<int16_t>(n));
  put_int(static_cast<int32_t>(n));
}

void Encoder::put_null(LengthWidth width) {
  if (width == LengthWidth::int8) return put_int(int8_t{-1});
  if (flexible_) return put_uvarint(0);
  if (width == LengthWidth::int16) return put_int(int16_t{-1});
  put_int(int32_t{-1});
}

void Encoder::put_uvarint(uint64_t v) {
  for (; v >= 0x80; v >>= 7) out_.own_.push_back(static_cast<char>(v | 0x80));
  out_.own_.push_back(static_cast<char>(v));
}

void Decoder::check_done() const {
  if (!in_.empty()) fail(ErrorKind::corrupt, "{} bytes are left after a value", in_.size());
}

void Decoder::get_uuid(Uuid& v) {
  std::memcpy(v.data(), take(v.size()).data(), v.size());
}

std::optional<std::size_t> Decoder::length(LengthWidth width) {
  int64_t n = 0;
  if (width == LengthWidth::int8)
    n = get_int<int8_t>();
  else if (flexible_)
    n = int64_t{get_uvarint()} - 1;
  else
    n = width == LengthWidth::int16 ? get_int<int16_t>() : get_int<int32_t>();
  if (n < -1) fail(ErrorKind::corrupt, "a length is {}", n);
  return n < 0 ? std::nullopt : std::optional(static_cast<std::size_t>(n));
}

std::size_t Decoder::required(std::optional<std::size_t> length) {
  if (!length) fail(ErrorKind::corrupt, "null in a field that cannot be null");
  return *length;
}

void Decoder::check_array(std::size_t n, std::size_t element_bytes_min) const {
  if (n > in_.size() / element_bytes_min)
    fail(ErrorKind::corrupt, "an array of {} elements cannot be in the {} bytes that are left", n,
         in_.size());
}

uint32_t Decoder::get_uvarint() {
  uint64_t v = 0;
  for (int shift = 0; shift < 35; shift += 7) {
    const auto byte = static_cast<unsigned char>(take(1)[0]);
    v |= uint64_t{byte & 0x7fU} << shift;
    if (byte >= 0x80) continue;
    if (v > std::numeric_limits<uint32_t>::max()) break;
    return static_cast<uint32_t>(v);
  }
  fail(ErrorKind::corrupt, "a variable-length number does not fit 32 bits");
}

std::string_view Decoder::take_string(std::size_t n) {
  if (n > string_bytes_max) fail(ErrorKind::corrupt, "a string of {} bytes", n);
  return take(n);
}

std::string_view Decoder::take(std::size_t n) {
  if (n > in_.size()) fail(ErrorKind::corrupt, "truncated: {} bytes wanted, {} left", n, in_.size());
  const auto head = in_.substr(0, n);
  in_.remove_prefix(n);
  return head;
}

int32_t correlation_id(std::string_view frame) {
  ResponseHeader header;
  decode_prefix(frame, 0, header);
  return header.correlation_id;
}

}  // namespace kb::kafka
