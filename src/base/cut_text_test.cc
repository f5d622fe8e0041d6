#include "base/cut_text.h"

#include <doctest/doctest.h>

using kb::cut_text;

TEST_CASE("a text is cut between characters") {
  CHECK(cut_text("short", 5) == "short");
  CHECK(cut_text("longer", 5) == "longe");
  CHECK(cut_text("ab\xE2\x82\xAC", 5) == "ab\xE2\x82\xAC");
  CHECK(cut_text("abc\xE2\x82\xAC", 5) == "abc");
  CHECK(cut_text("\xE2\x82\xAC", 2).empty());
}
