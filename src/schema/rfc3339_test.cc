#include "schema/rfc3339.h"

#include <doctest/doctest.h>

using namespace kb::schema;

TEST_CASE("times are read with any offset and written in UTC") {
  auto round = [](std::string_view text) {
    auto time = parse_rfc3339(text);
    return time ? format_rfc3339(*time) : "refused";
  };
  CHECK(round("2025-12-10T12:00:00Z") == "2025-12-10T12:00:00Z");
  CHECK(round("2025-12-10t12:00:00z") == "2025-12-10T12:00:00Z");
  CHECK(round("2025-12-10 12:00:00Z") == "2025-12-10T12:00:00Z");
  CHECK(round("2025-12-10T12:00:00+02:30") == "2025-12-10T09:30:00Z");
  CHECK(round("2025-12-31T23:30:00-01:00") == "2026-01-01T00:30:00Z");
  CHECK(round("2025-12-10T12:00:00.25Z") == "2025-12-10T12:00:00.250Z");
  CHECK(round("2025-12-10T12:00:00.123456789Z") == "2025-12-10T12:00:00.123456Z");
  CHECK(round("2024-02-29T00:00:00Z") == "2024-02-29T00:00:00Z");
  CHECK(round("2016-12-31T23:59:60Z") == "2017-01-01T00:00:00Z");
  CHECK(round("0001-01-01T00:00:00Z") == "0001-01-01T00:00:00Z");
  CHECK(round("9999-12-31T23:59:59.999999Z") == "9999-12-31T23:59:59.999999Z");
  CHECK(round("1969-12-31T23:59:59.5Z") == "1969-12-31T23:59:59.500Z");
  CHECK(parse_rfc3339("1970-01-01T00:00:01Z")->time_since_epoch().count() == 1'000'000);
}

TEST_CASE("what is not a time is refused") {
  for (std::string_view text :
       {"", "2025-12-10", "2025-12-10T12:00:00", "2025-12-10T12:00Z", "2025-13-10T12:00:00Z",
        "2025-00-10T12:00:00Z", "2025-02-29T12:00:00Z", "2025-12-10T24:00:00Z", "2025-12-10T12:60:00Z",
        "2025-12-10T12:00:61Z", "2025-12-10T12:00:00.Z", "2025-12-10T12:00:00+0230",
        "2025-12-10T12:00:00+24:00", "2025-12-10T12:00:00Z ", "25-12-10T12:00:00Z", "2025-12-10T12:00:00,5Z",
        "-025-12-10T12:00:00Z"}) {
    CAPTURE(text);
    CHECK(!parse_rfc3339(text));
  }
}
