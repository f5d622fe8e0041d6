// Kafka wire encoding. A message lists its fields once, in wire order, in fields(f); Encoder, Decoder,
// MinimumSize and the layout printer (describe.h) are visitors that walk that list.
//
// Source: clients/src/main/resources/common/message/README.md of Apache Kafka (types, versions, nullability,
// tags) and KIP-482 (flexible versions). Everything here is pure; objects belong to one thread at a time.
//
//   struct ExampleRequest {
//     static constexpr ApiSpec api{.name = "Example", .key = 12, .min_version = 0, .max_version = 4,
//     .flexible_from = 4}; using Response = ExampleResponse; std::string group_id; std::optional<std::string>
//     instance_id;         // optional = nullable on the wire void fields(auto& f) {
//       f(group_id);
//       f(instance_id, since(3), /*nullable*/ since(4));  // exists from v3 on, may be null from v4 on
//     }
//   };
#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/error.h"

namespace kb::kafka {

struct ApiSpec {
  std::string_view name;  // "Fetch"; of request and response alike
  int16_t key;
  int16_t min_version, max_version;  // what we speak, not all that Kafka defines
  int16_t flexible_from;             // first version with compact lengths and tagged fields (KIP-482)
};

// An inclusive range of message versions.
struct Versions {
  int16_t first = 0, last = std::numeric_limits<int16_t>::max();
  constexpr bool contains(int16_t version) const { return first <= version && version <= last; }
};
constexpr Versions since(int16_t version) {
  return {.first = version};
}
constexpr Versions between(int16_t first, int16_t last) {
  return {.first = first, .last = last};
}

using Uuid = std::array<uint8_t, 16>;

// Type "bytes": opaque to us, owned.
struct Bytes {
  std::string value;
  bool operator==(const Bytes&) const = default;
};

// Type "records": batches that stay where they are. Decoded ones point into the response; encoded ones are
// referenced by WireBytes. A null on the wire reads as empty; empty is written as empty, not as null.
struct Records {
  std::string_view bytes;
  bool operator==(const Records&) const = default;
};

// An encoded message: pieces to be written one after the other (writev). Records are referenced, not copied:
// they must outlive this object.
class WireBytes {
 public:
  std::size_t size() const { return own_.size() + referenced_bytes_; }
  // Valid until this object is changed, moved or destroyed.
  std::vector<std::string_view> parts() const;
  // All in one string, which copies.
  std::string str() const;

 private:
  friend class Encoder;
  struct Reference {
    std::size_t at;  // position in own_ that the bytes precede
    std::string_view bytes;
  };
  std::string own_;
  std::vector<Reference> references_;
  std::size_t referenced_bytes_ = 0;
};

template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};
template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
// A message or a struct in one: everything that lists fields.
template <class T>
concept Struct = requires(T& t, int& f) {
  &T::template fields<int>;
};

// How the length of a value is written before it in versions that are not flexible.
enum class LengthWidth { int8, int16, int32 };
template <class T>
constexpr LengthWidth length_width() {
  if constexpr (std::is_same_v<T, std::string>)
    return LengthWidth::int16;
  else if constexpr (Struct<T>)
    return LengthWidth::int8;  // nullable structs: -1 or 1, also in flexible versions
  else
    return LengthWidth::int32;
}

class Encoder {
 public:
  Encoder(int16_t version, bool flexible) : version_(version), flexible_(flexible) {}

  // `nullable` says in which versions the field may be null; writing a null in another one is our bug.
  template <class T>
  void operator()(const T& field, Versions in = {}, Versions nullable = {}) {
    if (in.contains(version_)) put(field, nullable.contains(version_));
  }
  // Of a flexible message, but itself written the old way (only the client id of a request header).
  template <class T>
  void inflexible(const T& field) {
    const bool flexible = std::exchange(flexible_, false);
    put(field, true);
    flexible_ = flexible;
  }
  // Left out when it equals `absent`, which is also what its member initialiser must say.
  template <class T>
  void tagged(uint32_t tag, const T& field, Versions in = {}, const T& absent = {}) {
    if (!flexible_ || !in.contains(version_) || field == absent) return;
    Encoder body(version_, true);
    body.put(field, true);
    CHECK(body.out_.references_.empty());
    tags_.emplace_back(tag, std::move(body.out_.own_));
  }
  template <class M>
  void message(const M& m) {
    auto outer = std::exchange(tags_, {});
    const_cast<M&>(m).fields(*this);  // one field list serves both directions; encoding only reads
    if (flexible_) put_tags();
    tags_ = std::move(outer);
  }
  WireBytes take() && { return std::move(out_); }
  // Puts the number of bytes that follow in front: the frame of a request.
  WireBytes take_framed() &&;

  static constexpr std::size_t frame_prefix_bytes = 4;
  void reserve_frame_prefix() { out_.own_.append(frame_prefix_bytes, '\0'); }

 private:
  template <class T>
  void put(const T& v, bool nullable) {
    if constexpr (std::is_enum_v<T>)
      put(static_cast<std::underlying_type_t<T>>(v), nullable);
    else if constexpr (std::is_same_v<T, bool>)
      out_.own_.push_back(v ? 1 : 0);
    else if constexpr (std::is_integral_v<T>)
      put_int(v);
    else if constexpr (std::is_same_v<T, double>)
      put_int(std::bit_cast<int64_t>(v));
    else if constexpr (std::is_same_v<T, std::string>)
      put_bytes(v, LengthWidth::int16);
    else if constexpr (std::is_same_v<T, Bytes>)
      put_bytes(v.value, LengthWidth::int32);
    else if constexpr (std::is_same_v<T, Records>)
      put_records(v);
    else if constexpr (std::is_same_v<T, Uuid>)
      out_.own_.append(v.begin(), v.end());
    else if constexpr (is_vector<T>::value)
      put_array(v);
    else if constexpr (is_optional<T>::value)
      put_nullable(v, nullable);
    else
      message(v);
  }
  template <class T>
  void put_array(const std::vector<T>& v) {
    put_length(v.size(), LengthWidth::int32);
    for (const T& element : v) put(element, false);
  }
  template <class T>
  void put_nullable(const std::optional<T>& v, bool nullable) {
    CHECK(v || nullable);
    if (!v) return put_null(length_width<T>());
    if constexpr (Struct<T>) put_int(int8_t{1});
    put(*v, false);
  }
  template <class I>
  void put_int(I v) {
    char bytes[sizeof(I)];
    auto rest = static_cast<std::make_unsigned_t<I>>(v);
    for (std::size_t i = sizeof(I); i-- > 0; rest = static_cast<decltype(rest)>(uint64_t{rest} >> 8))
      bytes[i] = static_cast<char>(rest);
    out_.own_.append(bytes, sizeof(I));
  }
  void put_tags();
  void put_bytes(std::string_view bytes, LengthWidth width);
  void put_records(const Records& records);
  void put_length(std::size_t n, LengthWidth width);
  void put_null(LengthWidth width);
  void put_uvarint(uint64_t v);

  const int16_t version_;
  bool flexible_;
  WireBytes out_;
  std::vector<std::pair<uint32_t, std::string>> tags_;  // of the struct being written
};

// The fewest bytes that a value can have on the wire: what makes a hostile array length visible before
// anything is allocated for it.
class MinimumSize {
 public:
  MinimumSize(int16_t version, bool flexible) : version_(version), flexible_(flexible) {}
  template <class T>
  void operator()(T&, Versions in = {}, Versions = {}) {
    if (in.contains(version_)) add<T>();
  }
  template <class T>
  void inflexible(T&) {}
  template <class T>
  void tagged(uint32_t, T&, Versions = {}, const T& = {}) {}
  template <class T>
  std::size_t of() {
    bytes_ = 0;
    add<T>();
    return bytes_;
  }

 private:
  template <class T>
  void add() {
    if constexpr (std::is_enum_v<T> || std::is_arithmetic_v<T> || std::is_same_v<T, Uuid>)
      bytes_ += sizeof(T);
    else if constexpr (Struct<T>) {
      T{}.fields(*this);
      bytes_ += flexible_ ? 1 : 0;
    } else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, std::optional<std::string>>)
      bytes_ += flexible_ ? 1 : 2;
    else if constexpr (is_optional<T>::value)
      bytes_ += 1;
    else
      bytes_ += flexible_ ? 1 : 4;
  }
  const int16_t version_;
  const bool flexible_;
  std::size_t bytes_ = 0;
};

// Reads one message; throws Error corrupt when the bytes are not what the field list says.
class Decoder {
 public:
  Decoder(std::string_view in, int16_t version, bool flexible)
      : in_(in), version_(version), flexible_(flexible) {}

  template <class T>
  void operator()(T& field, Versions in = {}, Versions nullable = {}) {
    if (!reading_tags_ && in.contains(version_)) get(field, nullable.contains(version_));
  }
  template <class T>
  void inflexible(T& field) {
    if (reading_tags_) return;
    const bool flexible = std::exchange(flexible_, false);
    get(field, true);
    flexible_ = flexible;
  }
  template <class T>
  void tagged(uint32_t tag, T& field, Versions in = {}, const T& = {}) {
    if (!reading_tags_ || tag != tag_ || !in.contains(version_)) return;
    Decoder body(tag_body_, version_, true);
    body.get(field, true);
    body.check_done();
  }
  template <class M>
  void message(M& m) {
    const bool outer = std::exchange(reading_tags_, false);
    m.fields(*this);
    if (flexible_) {
      for (uint32_t n = get_uvarint(); n > 0; --n) {
        tag_ = get_uvarint();
        tag_body_ = take(get_uvarint());
        reading_tags_ = true;
        m.fields(*this);  // picks the one field that owns this tag; unknown tags are skipped
        reading_tags_ = false;
      }
    }
    reading_tags_ = outer;
  }
  void check_done() const;
  std::string_view rest() const { return in_; }

 private:
  template <class T>
  void get(T& v, bool nullable) {
    if constexpr (std::is_enum_v<T>)
      v = static_cast<T>(get_int<std::underlying_type_t<T>>());
    else if constexpr (std::is_same_v<T, bool>)
      v = take(1)[0] != 0;
    else if constexpr (std::is_integral_v<T>)
      v = get_int<T>();
    else if constexpr (std::is_same_v<T, double>)
      v = std::bit_cast<double>(get_int<int64_t>());
    else if constexpr (std::is_same_v<T, std::string>)
      v = take_string(required(length(LengthWidth::int16)));
    else if constexpr (std::is_same_v<T, Bytes>)
      v.value = take(required(length(LengthWidth::int32)));
    else if constexpr (std::is_same_v<T, Records>)
      v.bytes = take(length(LengthWidth::int32).value_or(0));
    else if constexpr (std::is_same_v<T, Uuid>)
      get_uuid(v);
    else if constexpr (is_vector<T>::value)
      fill(v, required(length(LengthWidth::int32)));
    else if constexpr (is_optional<T>::value)
      get_nullable(v, nullable);
    else
      message(v);
  }
  template <class T>
  void get_nullable(std::optional<T>& v, bool nullable) {
    const auto n = length(length_width<T>());
    if (!n) {
      if (!nullable) required(n);
      return v.reset();
    }
    if constexpr (std::is_same_v<T, std::string>)
      v.emplace(take_string(*n));
    else if constexpr (std::is_same_v<T, Bytes>)
      v.emplace(Bytes{std::string(take(*n))});
    else if constexpr (is_vector<T>::value)
      fill(v.emplace(), *n);
    else
      message(v.emplace());
  }
  template <class T>
  void fill(std::vector<T>& v, std::size_t n) {
    check_array(n, n == 0 ? 1 : MinimumSize(version_, flexible_).of<T>());
    v.clear();
    v.reserve(n);
    while (n-- > 0) get(v.emplace_back(), false);
  }
  template <class I>
  I get_int() {
    std::make_unsigned_t<I> v = 0;
    for (const char c : take(sizeof(I)))
      v = static_cast<decltype(v)>((uint64_t{v} << 8) | static_cast<unsigned char>(c));
    return static_cast<I>(v);
  }
  void get_uuid(Uuid& v);
  std::optional<std::size_t> length(LengthWidth width);  // nullopt: null
  static std::size_t required(std::optional<std::size_t> length);
  void check_array(std::size_t n, std::size_t element_bytes_min) const;
  uint32_t get_uvarint();
  std::string_view take_string(std::size_t n);
  std::string_view take(std::size_t n);

  std::string_view in_;
  const int16_t version_;
  bool flexible_;
  bool reading_tags_ = false;
  uint32_t tag_ = 0;
  std::string_view tag_body_;
};

// Of a message without its header.
template <class M>
WireBytes encode(const M& m, int16_t version) {
  Encoder encoder(version, version >= M::api.flexible_from);
  encoder.message(m);
  return std::move(encoder).take();
}

// Reads the fields that precede others (a header); gives what follows them.
template <class M>
std::string_view decode_prefix(std::string_view bytes, int16_t version, M& m) {
  try {
    Decoder decoder(bytes, version, version >= M::api.flexible_from);
    decoder.message(m);
    return decoder.rest();
  } catch (const Error& error) {
    throw error.while_doing(fmt::format("reading Kafka message {} v{}", M::api.name, version));
  }
}

// The Records in the result point into `bytes`. Throws Error corrupt, also when bytes are left over.
template <class M>
M decode(std::string_view bytes, int16_t version) {
  M m;
  const std::string_view rest = decode_prefix(bytes, version, m);
  if (!rest.empty())
    fail(ErrorKind::corrupt, "reading Kafka message {} v{}: {} bytes are left after it", M::api.name, version,
         rest.size());
  return m;
}

struct RequestHeader {
  static constexpr ApiSpec api{
      .name = "RequestHeader", .key = -1, .min_version = 1, .max_version = 2, .flexible_from = 2};
  int16_t request_api_key = 0, request_api_version = 0;
  int32_t correlation_id = 0;
  std::optional<std::string> client_id = "";

  void fields(auto& f) {
    f(request_api_key);
    f(request_api_version);
    f(correlation_id);
    f.inflexible(client_id);  // so that a broker can read it before it knows the version
  }
};

struct ResponseHeader {
  static constexpr ApiSpec api{
      .name = "ResponseHeader", .key = -1, .min_version = 0, .max_version = 1, .flexible_from = 1};
  int32_t correlation_id = 0;

  void fields(auto& f) { f(correlation_id); }
};

constexpr int16_t api_versions_key = 18;

constexpr int16_t request_header_version(const ApiSpec& api, int16_t version) {
  return version >= api.flexible_from ? 2 : 1;
}
// ApiVersions always answers with header v0: the client does not know yet what the broker speaks (KIP-511).
constexpr int16_t response_header_version(const ApiSpec& api, int16_t version) {
  return version >= api.flexible_from && api.key != api_versions_key ? 1 : 0;
}

// A whole frame: length, header, message.
template <class Request>
WireBytes encode_request(std::string_view client_id, int32_t correlation_id, const Request& request,
                         int16_t version) {
  constexpr const ApiSpec& api = Request::api;
  const RequestHeader header{api.key, version, correlation_id, std::string(client_id)};
  Encoder encoder(version, version >= api.flexible_from);
  encoder.reserve_frame_prefix();
  encoder.message(header);  // its fields have no version ranges: its flexibility is the request's
  encoder.message(request);
  return std::move(encoder).take_framed();
}

// Of a frame without its length: the correlation id is where every header version has it. Throws Error
// corrupt.
int32_t correlation_id(std::string_view frame);

// `frame` is header and message, without the length. Throws Error corrupt.
template <class Response>
Response decode_response(std::string_view frame, int16_t version) {
  ResponseHeader header;
  const auto body = decode_prefix(frame, response_header_version(Response::api, version), header);
  return decode<Response>(body, version);
}

}  // namespace kb::kafka
