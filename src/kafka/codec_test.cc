#include "kafka/codec.h"

#include <random>

#include "kafka/layout.h"
#include "kafka/messages.h"

#include <doctest/doctest.h>

namespace kb::kafka {
namespace {

// Has one field of every kind that a message can have, also those that none of today's has.
struct SpecimenInner {
  int64_t number = 4;
  std::vector<std::string> words;
  std::string late;
  bool operator==(const SpecimenInner&) const = default;
  void fields(auto& f) {
    f(number);
    f(words);
    f.tagged(5, late, since(3));
  }
};
struct Specimen {
  using Inner = SpecimenInner;
  static constexpr ApiSpec api{
      .name = "Specimen", .key = -2, .min_version = 0, .max_version = 3, .flexible_from = 2};
  bool flag = false;
  int8_t small = 0;
  uint16_t unsigned_number = 0;
  Bytes bytes;
  std::optional<Bytes> nullable_bytes;
  std::optional<std::string> nullable_since_1 = "";
  std::optional<Inner> nullable_struct;
  std::vector<Inner> structs;
  std::optional<std::vector<Inner>> nullable_structs;
  Uuid id{};
  Records records;
  int32_t only_1 = 0;
  std::optional<std::string> tagged_null;
  int32_t tagged_7 = 7;
  bool operator==(const Specimen&) const = default;

  void fields(auto& f) {
    f(flag);
    f(small);
    f(unsigned_number);
    f(bytes);
    f(nullable_bytes);
    f(nullable_since_1, since(0), since(1));
    f(nullable_struct);
    f(structs);
    f(nullable_structs);
    f(id);
    f(records);
    f(only_1, between(1, 1));
    f.tagged(9, tagged_null, since(2));
    f.tagged(1, tagged_7, since(2), int32_t{7});
  }
};

Specimen full() {
  return {.flag = true,
          .small = -3,
          .unsigned_number = 65535,
          .bytes = {"ab"},
          .nullable_bytes = Bytes{"c"},
          .nullable_since_1 = "x",
          .nullable_struct = Specimen::Inner{-1, {"w"}, ""},
          .structs = {{1, {}, ""}, {2, {"two", ""}, ""}},
          .nullable_structs = std::vector<Specimen::Inner>{{3, {}, ""}},
          .id = {1, 2, 3},
          .records = {"raw"},
          .only_1 = 0,
          .tagged_null = {},
          .tagged_7 = 7};
}

template <class Function>
void check_corrupt(Function function, std::string_view text) {
  try {
    function();
    FAIL("nothing was thrown");
  } catch (const Error& error) {
    CHECK_EQ(error.kind(), ErrorKind::corrupt);
    CHECK_MESSAGE(std::string_view(error.what()).find(text) != std::string_view::npos, error.what());
  }
}

TEST_CASE("every kind of field survives encoding and decoding in every version") {
  for (int16_t version = 0; version <= 3; ++version) {
    CAPTURE(version);
    Specimen specimen = full();
    if (version == 1) specimen.only_1 = 11;
    if (version >= 2) specimen.tagged_null = "", specimen.tagged_7 = 8;
    if (version >= 3) specimen.structs[1].late = "late";
    CHECK(decode<Specimen>(encode(specimen, version).str(), version) == specimen);
    Specimen nulls;
    if (version >= 1) nulls.nullable_since_1.reset();
    CHECK(decode<Specimen>(encode(nulls, version).str(), version) == nulls);
  }
}

TEST_CASE("the bytes of nulls, tags and nullable structs") {
  using namespace std::string_literals;
  Specimen nulls;
  const auto id = std::string(16, '\0');
  CHECK(encode(nulls, 0).str() ==
        "\0\0\0\0"
        "\0\0\0\0"
        "\xff\xff\xff\xff"
        "\0\0"
        "\xff"
        "\0\0\0\0"
        "\xff\xff\xff\xff"s +
            id + "\0\0\0\0"s);
  CHECK(encode(nulls, 2).str() ==
        "\0\0\0\0"
        "\1"
        "\0"
        "\1"
        "\xff"
        "\1"
        "\0"s +
            id +
            "\1"
            "\0"s);
  nulls.tagged_7 = -1;
  nulls.tagged_null = "t";
  // Tags go out in the order of their numbers, whatever the order of the declaration.
  CHECK(encode(nulls, 2).str().substr(26) ==
        "\1"
        "\2"
        "\1\4\xff\xff\xff\xff"
        "\x09\2\2t"s);
  nulls.nullable_struct.emplace();
  CHECK(encode(nulls, 2).str().substr(7, 11) ==
        "\1"
        "\0\0\0\0\0\0\0\4"
        "\1"
        "\0"s);
}

TEST_CASE("unknown tags are skipped, also in nested structs") {
  ResponseHeader header;
  CHECK(decode_prefix(std::string_view("\0\0\0\5\2\3\1x\x85\1\2yzREST", 17), 1, header) == "REST");
  CHECK(header.correlation_id == 5);
}

TEST_CASE("records are referenced, not copied") {
  const std::string first(1000, 'a'), second(2000, 'b');
  const ProduceRequest request{.acks = -1, .topic_data = {{"t", {{0, {first}}, {1, {second}}, {2, {}}}}}};
  const WireBytes bytes = encode(request, 9);
  const auto parts = bytes.parts();
  REQUIRE(parts.size() == 5);
  CHECK(parts[1].data() == first.data());
  CHECK(parts[1].size() == first.size());
  CHECK(parts[3].data() == second.data());
  std::size_t size = 0;
  for (const auto part : parts) size += part.size();
  CHECK(size == bytes.size());
  CHECK(bytes.str().size() == bytes.size());

  const std::string encoded = bytes.str();
  const auto decoded = decode<ProduceRequest>(encoded, 9);
  const auto& records = decoded.topic_data[0].partition_data[1].records.bytes;
  CHECK(records == second);
  CHECK(records.data() >= encoded.data());
  CHECK(records.data() < encoded.data() + encoded.size());
}

TEST_CASE("request and response frames") {
  const WireBytes frame = encode_request("me", 77, ApiVersionsRequest{.client_software_name = "n"}, 3);
  CHECK(frame.str() == std::string("\0\0\0\x11\0\x12\0\3\0\0\0\x4d\0\2me\0\2n\1\0", 21));
  // ApiVersions answers with header v0 in every version, others with v1 where they are flexible.
  const std::string body = encode(ApiVersionsResponse{.throttle_time_ms = 3}, 3).str();
  CHECK(decode_response<ApiVersionsResponse>(std::string("\0\0\0\x4d", 4) + body, 3).throttle_time_ms == 3);
  const std::string groups = encode(ListGroupsResponse{.throttle_time_ms = 4}, 3).str();
  CHECK(decode_response<ListGroupsResponse>(std::string("\0\0\0\x4d\0", 5) + groups, 3).throttle_time_ms ==
        4);
  CHECK(correlation_id(std::string_view("\0\0\0\x4d\0", 5)) == 77);
  check_corrupt([] { correlation_id("abc"); }, "truncated");
}

TEST_CASE("a string that the protocol has no room for is refused") {
  OffsetFetchRequest request{.group_id = std::string(40000, 'g')};
  try {
    encode(request, 7);
    FAIL("nothing was thrown");
  } catch (const Error& error) {
    CHECK_EQ(error.kind(), ErrorKind::invalid);
  }
}

TEST_CASE("a message cut at any byte, or with a byte too many, is corrupt and names itself") {
  for (int16_t version = 0; version <= 3; ++version) {
    const std::string bytes = encode(full(), version).str();
    for (std::size_t size = 0; size < bytes.size(); ++size)
      check_corrupt([&] { decode<Specimen>(bytes.substr(0, size), version); },
                    fmt::format("reading Kafka message Specimen v{}: ", version));
    check_corrupt([&] { decode<Specimen>(bytes + "x", version); }, "1 bytes are left after it");
  }
}

TEST_CASE("lengths that lie are seen before anything is allocated") {
  using namespace std::string_literals;
  const auto throttle = "\0\0\0\0"s;
  // 2^31-1 groups, then 2^32-2 in the compact form.
  check_corrupt([&] { decode<ListGroupsResponse>(throttle + "\0\0\x7f\xff\xff\xff"s, 1); },
                "2147483647 elements cannot be in the 0 bytes");
  check_corrupt([&] { decode<ListGroupsResponse>(throttle + "\0\0\xff\xff\xff\xff\x0f"s, 3); },
                "4294967294 elements cannot be in the 0 bytes");
  // A partition takes at least 4 + 2 bytes: 3 do not fit 17.
  const auto three = throttle + "\0\0\0\1\0\1t\0\0\0\3"s + std::string(17, '\0');
  check_corrupt([&] { decode<OffsetCommitResponse>(three, 3); }, "3 elements cannot be in the 17 bytes");
  check_corrupt([&] { decode<ListGroupsResponse>(throttle + "\0\0\xff\xff\xff\xfe"s, 1); }, "a length is -2");
  check_corrupt([&] { decode<ListGroupsResponse>(throttle + "\0\0\xff\xff\xff\xff"s, 1); },
                "null in a field that cannot be null");
  check_corrupt([&] { decode<ListGroupsResponse>(throttle + "\0\0\xff\xff\xff\xff\x1f"s, 3); },
                "does not fit 32 bits");
  check_corrupt([&] { decode<ListGroupsResponse>(throttle + "\0\0\x80\x80\x80\x80\x80\x01"s, 3); },
                "does not fit 32 bits");
}

TEST_CASE("null where this version has none is corrupt") {
  const auto version_11 = encode(MetadataResponse{.topics = {{.name = "t"}}}, 11).str();
  auto null_name = version_11;
  const auto at = null_name.find("\2t");
  REQUIRE(at != std::string::npos);
  null_name.replace(at, 2, std::string(1, '\0'));
  check_corrupt([&] { decode<MetadataResponse>(null_name, 11); }, "null in a field that cannot be null");
  CHECK_FALSE(decode<MetadataResponse>(null_name, 12).topics[0].name.has_value());
}

TEST_CASE("bytes left in a tagged field are corrupt") {
  // finalized_features_epoch with 9 bytes instead of 8
  const std::string bytes("\0\0\1\0\0\0\0\1\1\x09\0\0\0\0\0\0\0\1\2", 19);
  check_corrupt([&] { decode<ApiVersionsResponse>(bytes, 3); }, "1 bytes are left after a value");
}

TEST_CASE("random damage to any response ends in a value or in Error corrupt") {
  std::mt19937 random(1);
  AllRequests::for_each([&]<class Request>() {
    using Response = typename Request::Response;
    for (int round = 0; round < 2000; ++round) {
      const auto version = static_cast<int16_t>(
          Request::api.min_version + random() % (Request::api.max_version - Request::api.min_version + 1));
      std::string bytes(random() % 64, '\0');
      for (char& byte : bytes) byte = static_cast<char>(random() % 4 == 0 ? random() : random() % 3);
      try {
        const auto message = decode<Response>(bytes, version);
        CHECK(decode<Response>(encode(message, version).str(), version).api.key == Response::api.key);
      } catch (const Error& error) {
        CHECK_EQ(error.kind(), ErrorKind::corrupt);
      }
    }
  });
}

TEST_CASE("a layout says types, nulls, defaults and tags") {
  CHECK(
      LayoutPrinter(1).of_struct<Specimen>() ==
      "{bool=false int8=0 int16=0 bytes bytes?=null string?='' {int64=4 [string]}?=null [{int64=4 [string]}] "
      "[{int64=4 [string]}]?=null uuid records? int32=0}");
  CHECK(LayoutPrinter(3).of_struct<Specimen>() ==
        "{bool=false int8=0 int16=0 bytes bytes?=null string?='' {int64=4 [string] <5=string=''>}?=null "
        "[{int64=4 [string] <5=string=''>}] [{int64=4 [string] <5=string=''>}]?=null uuid records? "
        "<1=int32=7 9=string?=null>}");
}

}  // namespace
}  // namespace kb::kafka
