#include "engine/read_replica.h"

#include <doctest/doctest.h>

namespace kb::engine {
namespace {

using namespace std::chrono_literals;
using kafka::ErrorCode;
using Answer = ReadReplica::Answer;

constexpr Clock::time_point start{1h};
constexpr std::int32_t leader = 1;

// Chosen by the leader at `start`.
ReadReplica on_broker_2() {
  ReadReplica replica;
  replica.answered(leader, Answer{.preferred_read_replica = 2}, start, true, start);
  return replica;
}

bool is_avoided(const ReadReplica& replica, Clock::time_point now) {
  return !replica.node_id(now) && !replica.may_change(now);
}

TEST_CASE("the leader is read, and may be asked for its preference, until it has one") {
  ReadReplica replica;
  CHECK(!replica.node_id(start));
  CHECK(replica.may_change(start));
  CHECK(!replica.is(leader));
  replica.answered(leader, {}, start, true, start + 1h);
  replica.answered(leader, Answer{.preferred_read_replica = leader}, start, true, start + 1h);
  CHECK(replica.may_change(start));
}

TEST_CASE("what the leader prefers is read for five minutes, then the leader is asked anew") {
  auto replica = on_broker_2();
  CHECK(replica.node_id(start + 299s) == 2);
  CHECK(!replica.may_change(start + 299s));
  CHECK(replica.is(2));
  CHECK(!replica.is(leader));
  CHECK(!replica.node_id(start + 300s));
  CHECK(replica.may_change(start + 300s));
}

TEST_CASE("a replica that is behind is not the log: the leader is read before anything is called lost") {
  for (const auto code : {ErrorCode::offset_out_of_range, ErrorCode::unknown_topic_or_partition,
                          ErrorCode::not_leader_or_follower, ErrorCode::replica_not_available,
                          ErrorCode::offset_not_available, ErrorCode::kafka_storage_error}) {
    auto replica = on_broker_2();
    CHECK(replica.refused(2, Answer{.error_code = code}, start + 1s));
    CHECK(is_avoided(replica, start + 300s));
    CHECK(!replica.refused(leader, Answer{.error_code = code}, start + 2s));  // that counts
    CHECK(replica.may_change(start + 301s));
  }
  auto replica = on_broker_2();
  CHECK(replica.refused(2, Answer{.diverging_epoch = {.epoch = 3, .end_offset = 7}}, start));
  CHECK(is_avoided(replica, start));
}

TEST_CASE("what the leader refuses, and what succeeds, is not a replica's refusal") {
  auto replica = on_broker_2();
  CHECK(!replica.refused(leader, Answer{.error_code = ErrorCode::offset_out_of_range}, start));
  CHECK(!replica.refused(2, {}, start));
  CHECK(replica.node_id(start) == 2);
}

TEST_CASE("another epoch means another leader: it is looked up, and asked for its preference") {
  for (const auto code : {ErrorCode::fenced_leader_epoch, ErrorCode::unknown_leader_epoch}) {
    auto replica = on_broker_2();
    CHECK(!replica.refused(2, Answer{.error_code = code}, start));
    CHECK(!replica.node_id(start));
    CHECK(replica.may_change(start));
  }
}

TEST_CASE("a replica that gives nothing for ten seconds is left, if the leader is known to have more") {
  auto replica = on_broker_2();
  replica.answered(2, {}, start - 1h, true, start + 9s);
  replica.answered(2, {}, start + 5s, true, start + 14s);
  CHECK(replica.node_id(start + 14s) == 2);
  replica.answered(2, {}, start + 5s, true, start + 15s);
  CHECK(is_avoided(replica, start + 15s));
}

TEST_CASE("where no more is known the leader is asked, which may prefer the same replica again") {
  auto replica = on_broker_2();
  replica.answered(2, {}, start - 1h, false, start + 9s);
  CHECK(replica.node_id(start + 9s) == 2);
  replica.answered(2, {}, start - 1h, false, start + 10s);
  CHECK(!replica.node_id(start + 10s));
  CHECK(replica.may_change(start + 10s));
  replica.answered(leader, Answer{.preferred_read_replica = 2}, start - 1h, false, start + 10s);
  CHECK(replica.node_id(start + 19s) == 2);
}

TEST_CASE("after trouble the leader is read for five minutes") {
  auto replica = on_broker_2();
  replica.avoid(start + 10s);
  CHECK(!replica.is(2));
  CHECK(is_avoided(replica, start + 309s));
  CHECK(replica.may_change(start + 310s));
}

}  // namespace
}  // namespace kb::engine
