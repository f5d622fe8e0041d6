// Requests about many items (partitions, topics, groups) of which some may have to be asked again: which
// error codes are worth another round, how long to wait before it, when to give up and with which words.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/retry.h"
#include "kafka/admin.h"
#include "kafka/error_code.h"

namespace kb::kafka {

//   Rounds rounds(policy, "listing offsets");
//   do {
//     ... for each item still to be asked: if (rounds.done(item, error_code)) it is settled
//   } while (rounds.again(ctx));
// Not thread-safe.
class Rounds {
 public:
  // A topic that was just made is not known to every broker at once; one that is unknown for longer does not
  // exist.
  static constexpr Duration unknown_topic_patience = std::chrono::seconds(5);

  Rounds(const RetryPolicy& policy, std::string doing, Duration patience = unknown_topic_patience)
      : backoff_(policy), doing_(std::move(doing)), patience_(patience) {}

  // True when `code` is no error; false when the item has to be asked again. Throws "<doing> <item>: ..."
  // when that would not help.
  bool done(std::string_view item, ErrorCode code, std::string_view broker_message = {});
  // A request as a whole failed, `item` being the first of those it was about; throws when it is not worth
  // another round.
  void failed(const Error& error, std::string_view item = {});
  // Whether something failed in this round: then waits before the next one, or throws the first failure when
  // they have lasted too long.
  bool again(const Context& ctx);

 private:
  bool worth_another_round(ErrorCode code);

  Backoff backoff_;
  const std::string doing_;
  const Duration patience_;
  std::optional<Clock::time_point> unknown_topic_since_;
  std::optional<Error> failure_;  // the first of this round
};

std::string to_string(const TopicPartition& partition);  // "orders/3"

// The leader of each partition as far as the cluster knows; those without one under -1.
std::map<std::int32_t, std::vector<TopicPartition>> by_leader(const Cluster& cluster,
                                                              const std::set<TopicPartition>& partitions);
std::vector<std::string> topics_of(const std::set<TopicPartition>& partitions);

// `Topic` as requests have it: a name, then a list about its partitions. `partitions` are sorted.
template <class Topic, class Make>
std::vector<Topic> in_topics(const std::vector<TopicPartition>& partitions, Make make) {
  std::vector<Topic> topics;
  const std::string* last = nullptr;
  for (const auto& partition : partitions) {
    if (!last || *last != partition.topic) topics.push_back({partition.topic, {}});
    last = &partition.topic;
    auto& [name, elements] = topics.back();
    elements.push_back(make(partition));
  }
  return topics;
}

struct OffsetAnswer {
  TopicPartition partition;
  ErrorCode error_code{};
  std::int64_t offset = 0;
};
using OffsetQuestion = std::function<std::vector<OffsetAnswer>(
    std::int32_t leader, const std::vector<TopicPartition>& partitions)>;
// Asks the leaders of all partitions, one request each and round, until every partition has its answer. `ask`
// makes one attempt. Each round that fails is followed by a look at fresh metadata.
std::map<TopicPartition, std::int64_t> ask_leaders(const Context& ctx, Cluster& cluster,
                                                   std::string_view doing,
                                                   std::vector<TopicPartition> partitions,
                                                   const OffsetQuestion& ask);

}  // namespace kb::kafka
