#include "base/backup_id.h"

#include <doctest/doctest.h>

namespace kb {
namespace {

using namespace std::chrono;

TEST_CASE("the time of an id is the one it was made of") {
  for (std::int64_t s : {0LL, 951'782'400LL, 1'765'332'000LL, 4'102'444'799LL}) {
    const sys_seconds time{seconds(s)};
    const auto id = make_backup_id("my-20250101-000000-backup.x", time);
    CAPTURE(id);
    CHECK(time_of_backup_id(id) == time);
  }
  CHECK(make_backup_id("nightly", sys_seconds{seconds(1'765'332'000)}) == "nightly-20251210-020000");
}

TEST_CASE("what does not end in a time has none") {
  for (auto text : {"", "nightly", "-20251210-020000", "x-20251310-020000", "x-20251210-250000",
                    "x-2025121-020000", "x-20251210-02000a", "x-20251210-020000 "}) {
    CAPTURE(text);
    CHECK(!time_of_backup_id(text));
  }
}

}  // namespace
}  // namespace kb
