#include "engine/access_capture.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::engine;

namespace {

bool concerns_orders(const std::string& type, const std::string& name, const std::string& pattern) {
  return concerns({.resource_type = type, .resource_name = name, .pattern_type = pattern},
                  {"orders", "payments"});
}

}  // namespace

TEST_CASE("ACLs of topics that are not backed up are left out, all others are kept") {
  CHECK(concerns_orders("TOPIC", "orders", "LITERAL"));
  CHECK(concerns_orders("TOPIC", "*", "LITERAL"));
  CHECK(concerns_orders("TOPIC", "ord", "PREFIXED"));
  CHECK(concerns_orders("TOPIC", "payments", "PREFIXED"));
  CHECK_FALSE(concerns_orders("TOPIC", "ord", "LITERAL"));
  CHECK_FALSE(concerns_orders("TOPIC", "orders-2", "PREFIXED"));
  CHECK_FALSE(concerns_orders("TOPIC", "customers", "LITERAL"));
  CHECK(concerns_orders("GROUP", "customers", "LITERAL"));
  CHECK(concerns_orders("CLUSTER", "kafka-cluster", "LITERAL"));
  CHECK(concerns_orders("UNKNOWN(9)", "x", "LITERAL"));
}
