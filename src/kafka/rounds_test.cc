#include "kafka/rounds.h"

#include "kafka/messages_produce.h"

#include <doctest/doctest.h>

namespace kb::kafka {
namespace {

using namespace std::chrono_literals;

constexpr RetryPolicy quick{.backoff_first = 1ns, .backoff_max = 1ns, .give_up_after = 1h};
constexpr RetryPolicy never{.backoff_first = 1ns, .backoff_max = 1ns, .give_up_after = 0s};

template <class Function>
Error error_of(Function function) {
  try {
    function();
  } catch (const Error& error) {
    return error;
  }
  return {ErrorKind::internal, "nothing was thrown"};
}

TEST_CASE("an item that succeeds is done, and nothing has to be asked again") {
  Rounds rounds(never, "listing offsets of");
  CHECK(rounds.done("orders/1", ErrorCode::none));
  CHECK_FALSE(rounds.again({}));
}

TEST_CASE("an item with a retriable error is asked again until that has lasted too long") {
  Rounds rounds(quick, "listing offsets of");
  for (int round = 0; round < 3; ++round) {
    CHECK_FALSE(rounds.done("orders/1", ErrorCode::not_leader_or_follower));
    CHECK(rounds.again({}));
  }
  CHECK(rounds.done("orders/1", ErrorCode::none));
  CHECK_FALSE(rounds.again({}));

  Rounds impatient(never, "listing offsets of");
  CHECK_FALSE(impatient.done("orders/1", ErrorCode::not_leader_or_follower));
  CHECK_FALSE(impatient.done("orders/2", ErrorCode::leader_not_available));
  const auto error = error_of([&] { impatient.again({}); });
  CHECK_EQ(error.kind(), ErrorKind::unavailable);
  CHECK_EQ(
      std::string_view(error.what()),
      "listing offsets of orders/1: NOT_LEADER_OR_FOLLOWER (6): this broker does not lead the partition");
}

TEST_CASE("an error that would stay is thrown at once, with what the broker says") {
  Rounds rounds(quick, "creating topic");
  const auto error = error_of([&] { rounds.done("orders", ErrorCode::policy_violation, "no"); });
  CHECK_EQ(error.kind(), ErrorKind::denied);
  CHECK_NE(std::string_view(error.what()).find("creating topic orders: POLICY_VIOLATION"),
           std::string_view::npos);
  CHECK_NE(std::string_view(error.what()).find("the broker says: no"), std::string_view::npos);
  // Of a kind that can be tried again in general, but this code is not.
  CHECK_EQ(error_of([&] { rounds.done("orders", ErrorCode::unknown_server_error); }).kind(),
           ErrorKind::unavailable);
}

TEST_CASE("an unknown topic is asked again for a while, then not found") {
  Rounds patient(quick, "describing topic", 1h);
  CHECK_FALSE(patient.done("orders", ErrorCode::unknown_topic_or_partition));
  CHECK(patient.again({}));
  Rounds impatient(quick, "describing topic", 0s);
  const auto error = error_of([&] { impatient.done("orders", ErrorCode::unknown_topic_or_partition); });
  CHECK_EQ(error.kind(), ErrorKind::not_found);
}

TEST_CASE("a request that fails as a whole is another round, unless it would fail again") {
  Rounds rounds(quick, "listing groups");
  rounds.failed(Error(ErrorKind::unavailable, "refused"));
  CHECK(rounds.again({}));
  const auto error = error_of([&] { rounds.failed(Error(ErrorKind::denied, "no")); });
  CHECK_EQ(error.kind(), ErrorKind::denied);
  CHECK_EQ(std::string_view(error.what()), "listing groups: no");
  const auto of_some = error_of([&] { rounds.failed(Error(ErrorKind::denied, "no"), "broker 3"); });
  CHECK_EQ(std::string_view(of_some.what()), "listing groups broker 3: no");
}

TEST_CASE("partitions are put together by topic") {
  const std::set<TopicPartition> partitions{{"a", 0}, {"a", 2}, {"b", 0}, {"", 7}};
  CHECK(topics_of(partitions) == std::vector<std::string>{"", "a", "b"});
  const auto topics = in_topics<AddPartitionsToTxnRequest::Topic>(
      {partitions.begin(), partitions.end()}, [](const TopicPartition& p) { return p.partition; });
  REQUIRE(topics.size() == 3);
  CHECK_EQ(topics[0].name, "");
  CHECK(topics[0].partitions == std::vector<std::int32_t>{7});
  CHECK_EQ(topics[1].name, "a");
  CHECK(topics[1].partitions == std::vector<std::int32_t>{0, 2});
  CHECK(topics[2].partitions == std::vector<std::int32_t>{0});
  CHECK(in_topics<AddPartitionsToTxnRequest::Topic>({}, [](const auto&) { return 0; }).empty());
}

}  // namespace
}  // namespace kb::kafka
