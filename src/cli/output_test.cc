#include "cli/output.h"

#include <boost/json.hpp>

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::cli;

TEST_CASE("errors are a line, and a line of advice when there is any") {
  CHECK(error_text(Error(ErrorKind::invalid, "no"), OutputFormat::text) == "error: no\n");
  CHECK(error_text(Error(ErrorKind::invalid, "no", "try yes"), OutputFormat::text) ==
        "error: no\nhint: try yes\n");
}

TEST_CASE("as JSON an error says its kind and exit code") {
  auto parsed =
      boost::json::parse(error_text(Error(ErrorKind::corrupt, "a \"b\"\n", "c"), OutputFormat::json));
  CHECK(parsed.at("kind") == "corrupt");
  CHECK(parsed.at("message") == "a \"b\"\n");
  CHECK(parsed.at("hint") == "c");
  CHECK(parsed.at("exitCode") == 65);
}

TEST_CASE("no name moves the cursor of a terminal") {
  CHECK(printable("a\x1b[31mb\r\tc\x7f\n") == "a\\x1b[31mb\\x0d\\x09c\\x7f\n");
  CHECK(printable("grün") == "grün");
}

TEST_CASE("tables align text to the left and numbers to the right") {
  Table table({"NAME", "BYTES", "NOTE"});
  CHECK(table.empty());
  table.add({"a", "1.5 KiB", "x"});
  table.add({"long name", "12", ""});
  CHECK(table.text(2) ==
        "  NAME         BYTES  NOTE\n"
        "  a          1.5 KiB  x\n"
        "  long name       12\n");
}

TEST_CASE("times are UTC") {
  CHECK(format_time(1765368000123) == "2025-12-10T12:00:00Z");
}
