#include "engine/lag_table.h"

#include <doctest/doctest.h>

using namespace kb::engine;

TEST_CASE("a partition lags by what lies between its position and the end of its log") {
  LagTable lags;
  lags.note("a", 0, {.log_end = 100, .position = 90, .read_until_ms = 7, .records = 10, .bytes = 200});
  lags.note("b", 1, {.log_end = 50, .position = 50});
  lags.note("c", 2, {.log_end = 1000, .position = 400});
  CHECK(lags.records_max() == 600);
  CHECK(lags.records_sum() == 610);
  const auto most = lags.most(2);
  REQUIRE(most.size() == 2);
  CHECK(most[0].topic == "c");
  CHECK(most[0].bytes == 0);  // nothing was read, so their size is not known
  CHECK(most[1].records == 10);
  CHECK(most[1].bytes == 200);
  CHECK(most[1].read_until_ms == 7);
  lags.note("c", 2, {.log_end = -1, .position = 500});  // a broker that does not say
  CHECK(lags.records_max() == 600);
  lags.clear();
  CHECK(lags.most(5).empty());
}
