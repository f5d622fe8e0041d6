#include "kafka/rounds.h"

#include <algorithm>
#include <utility>

#include "kafka/cluster.h"

namespace kb::kafka {

bool Rounds::worth_another_round(ErrorCode code) {
  if (code != ErrorCode::unknown_topic_or_partition && code != ErrorCode::unknown_topic_id)
    return retriable(code);
  const auto now = Clock::now();
  if (!unknown_topic_since_) unknown_topic_since_ = now;
  return now - *unknown_topic_since_ < patience_;
}

bool Rounds::done(std::string_view item, ErrorCode code, std::string_view broker_message) {
  if (code == ErrorCode::none) return true;
  const bool wait = worth_another_round(code);
  try {
    require(code, fmt::format("{} {}", doing_, item), broker_message);
  } catch (const Error& error) {
    if (!wait) throw;
    // What is worth another round is so for Backoff, too, whatever the kind would be otherwise.
    if (!failure_)
      failure_ = error.retryable() ? error : Error(ErrorKind::unavailable, error.what(), error.hint());
  }
  return false;
}

void Rounds::failed(const Error& error, std::string_view item) {
  const auto in_context = error.while_doing(item.empty() ? doing_ : fmt::format("{} {}", doing_, item));
  if (!error.retryable()) throw in_context;
  if (!failure_) failure_ = in_context;
}

bool Rounds::again(const Context& ctx) {
  if (!failure_) return false;
  backoff_.wait_or_throw(ctx, *std::exchange(failure_, std::nullopt));
  return true;
}

std::string to_string(const TopicPartition& partition) {
  return fmt::format("{}/{}", partition.topic, partition.partition);
}

std::map<std::int32_t, std::vector<TopicPartition>> by_leader(const Cluster& cluster,
                                                              const std::set<TopicPartition>& partitions) {
  std::map<std::int32_t, std::vector<TopicPartition>> leaders;
  for (const auto& partition : partitions)
    leaders[cluster.leader(partition.topic, partition.partition)].push_back(partition);
  return leaders;
}

std::vector<std::string> topics_of(const std::set<TopicPartition>& partitions) {
  std::vector<std::string> topics;
  for (const auto& partition : partitions)
    if (topics.empty() || topics.back() != partition.topic) topics.push_back(partition.topic);
  return topics;
}

namespace {

// Looks at the cluster afresh; a topic that is not there counts as its partitions' answer.
void look_again(const Context& ctx, Cluster& cluster, const std::set<TopicPartition>& pending,
                Rounds& rounds) {
  for (const auto& topic : cluster.metadata(ctx, topics_of(pending)).topics)
    rounds.done(topic.name.value_or(""), topic.error_code);
}

void take_answers(std::int32_t leader, const std::vector<TopicPartition>& asked,
                  const std::vector<OffsetAnswer>& answers, Rounds& rounds, std::set<TopicPartition>& pending,
                  std::map<TopicPartition, std::int64_t>& found) {
  std::map<TopicPartition, const OffsetAnswer*> by_partition;
  for (const auto& answer : answers) by_partition[answer.partition] = &answer;
  for (const auto& partition : asked) {
    const auto answer = by_partition.find(partition);
    if (answer == by_partition.end())
      fail(ErrorKind::corrupt, "the answer of broker {} lacks {}", leader, to_string(partition));
    if (!rounds.done(to_string(partition), answer->second->error_code)) continue;
    found[partition] = answer->second->offset;
    pending.erase(partition);
  }
}

}  // namespace

std::map<TopicPartition, std::int64_t> ask_leaders(const Context& ctx, Cluster& cluster,
                                                   std::string_view doing,
                                                   std::vector<TopicPartition> partitions,
                                                   const OffsetQuestion& ask) {
  std::map<TopicPartition, std::int64_t> found;
  std::set<TopicPartition> pending(partitions.begin(), partitions.end());
  Rounds rounds(cluster.settings().retry, std::string(doing));
  const auto ask_leader = [&](std::int32_t leader, const std::vector<TopicPartition>& led) {
    std::vector<OffsetAnswer> answers;
    try {
      answers = ask(leader, led);
    } catch (const Error& error) {
      return rounds.failed(error, to_string(led.front()));
    }
    take_answers(leader, led, answers, rounds, pending, found);
  };
  bool known =
      std::ranges::all_of(pending, [&](const auto& p) { return cluster.leader(p.topic, p.partition) >= 0; });
  do {
    if (!std::exchange(known, false) && !pending.empty()) look_again(ctx, cluster, pending, rounds);
    for (const auto& [leader, led] : by_leader(cluster, pending))
      if (leader >= 0)
        ask_leader(leader, led);
      else
        rounds.done(to_string(led.front()), ErrorCode::leader_not_available);
  } while (rounds.again(ctx));
  return found;
}

}  // namespace kb::kafka
