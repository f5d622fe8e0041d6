#include "engine/topic_id.h"

#include <doctest/doctest.h>

namespace kb::engine {
namespace {

TEST_CASE("a topic id is the same from its digits, and anything else is none") {
  const kafka::Uuid id{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255};
  CHECK(to_hex(id) == "000102030405060708090a0b0c0d0eff");
  CHECK(topic_id_of(to_hex(id)) == id);
  CHECK(topic_id_of("") == kafka::Uuid{});
  CHECK(topic_id_of("0001") == kafka::Uuid{});
  CHECK(topic_id_of("zz0102030405060708090a0b0c0d0eff") == kafka::Uuid{});
}

}  // namespace
}  // namespace kb::engine
