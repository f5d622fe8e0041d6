#include "net/endpoint.h"

#include "base/error.h"

#include <doctest/doctest.h>

namespace kb {
namespace {

TEST_CASE("host and port") {
  CHECK_EQ(parse_endpoint("kafka-0.kafka.svc:9092"), Endpoint{"kafka-0.kafka.svc", 9092});
  CHECK_EQ(parse_endpoint("10.0.0.1:1"), Endpoint{"10.0.0.1", 1});
  CHECK_EQ(parse_endpoint("[::1]:65535"), Endpoint{"::1", 65535});
  CHECK_EQ(parse_endpoint("[fe80::1%eth0]:9092"), Endpoint{"fe80::1%eth0", 9092});
  CHECK_EQ(parse_endpoint("my_host:9092"), Endpoint{"my_host", 9092});
}

TEST_CASE("an address is written as it is read") {
  for (std::string text : {"kafka:9092", "10.0.0.1:1", "[::1]:9092", "[fe80::1%eth0]:9092"})
    CHECK_EQ(to_string(parse_endpoint(text)), text);
}

TEST_CASE("a list has commas, and blanks around them") {
  CHECK_EQ(parse_endpoints(" a:1, [::1]:2 ,c:3 "), std::vector<Endpoint>{{"a", 1}, {"::1", 2}, {"c", 3}});
  CHECK_THROWS_AS(parse_endpoints("a:1,"), Error);
  CHECK_THROWS_AS(parse_endpoints(""), Error);
}

TEST_CASE("whatever else is refused by a text that names it") {
  struct Case {
    const char* text;
    const char* why;
  };
  const Case cases[] = {
      {"", "the port is missing"},
      {"kafka", "the port is missing"},
      {"kafka:", "the port is missing"},
      {":9092", "the host is missing"},
      {"kafka:0", "not a port"},
      {"kafka:65536", "not a port"},
      {"kafka:99999999999999999999", "not a port"},
      {"kafka:-1", "not a port"},
      {"kafka:+1", "not a port"},
      {"kafka:9092x", "not a port"},
      {"kafka: 9092", "not a port"},
      {"::1:9092", "more than one colon"},
      {"a:1:2", "more than one colon"},
      {"[::1]", "the port is missing"},
      {"[::1]9092", "the port is missing"},
      {"[::1:9092", "']' is missing"},
      {"[kafka]:9092", "IPv6 address"},
      {"[g::1]:9092", "IPv6 address"},
      {"[]:9092", "IPv6 address"},
      {"SASL_SSL://kafka:9092", "a scheme does not belong here"},
      {"http://kafka", "a scheme does not belong here"},
      {"kaf ka:9092", "not a host name"},
      {"kafka/a:9092", "not a host name"},
  };
  for (const auto& [text, why] : cases) {
    const auto& given = text;
    CAPTURE(given);
    try {
      parse_endpoint(text);
      FAIL_CHECK("accepted");
    } catch (const Error& error) {
      CHECK_EQ(error.kind(), ErrorKind::invalid);
      std::string what = error.what();
      CHECK_NE(what.find(fmt::format("'{}'", text)), std::string::npos);
      CHECK_MESSAGE(what.find(why) != std::string::npos, what);
      CHECK_FALSE(error.hint().empty());
    }
  }
}

}  // namespace
}  // namespace kb
