#include "operator/conditions.h"

#include <doctest/doctest.h>

namespace kb::op {
namespace {

schema::Timestamp at(int seconds) {
  return schema::Timestamp(std::chrono::milliseconds(seconds * 1000 + 250));
}
schema::Timestamp whole(int seconds) {
  return schema::Timestamp(std::chrono::seconds(seconds));
}

TEST_CASE("the time of a transition changes only with the status") {
  std::vector<api::Condition> all;
  Conditions(all, 1, at(10)).set("Ready", true, "Fine", "well");
  REQUIRE(all.size() == 1);
  CHECK(all[0].status == "True");
  CHECK(all[0].last_transition_time == whole(10));
  Conditions(all, 2, at(20)).set("Ready", true, "Better", "very well");
  CHECK(all[0].last_transition_time == whole(10));
  CHECK(all[0].reason == "Better");
  CHECK(all[0].message == "very well");
  CHECK(all[0].observed_generation == 2);
  Conditions(all, 2, at(30)).set_unknown("Ready", "Busy", "");
  CHECK(all[0].status == "Unknown");
  CHECK(all[0].last_transition_time == whole(30));
  Conditions(all, 2, at(20)).set("Ready", false, "Bad", "");  // a clock that went back
  CHECK(all[0].last_transition_time == whole(20));
}

TEST_CASE("conditions of others stay, and one that is removed is new when it comes again") {
  std::vector<api::Condition> all{{.type = "Foreign", .status = "True"}};
  Conditions(all, 1, at(1)).set("Suspended", true, "Suspended", "");
  Conditions(all, 1, at(2)).remove("Suspended");
  CHECK(!find_condition(all, "Suspended"));
  Conditions(all, 1, at(3)).set("Suspended", true, "Suspended", "");
  CHECK(find_condition(all, "Suspended")->last_transition_time == whole(3));
  CHECK(find_condition(all, "Foreign")->status == "True");
}

}  // namespace
}  // namespace kb::op
