// Making, changing and removing topics.
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "kafka/admin.h"
#include "kafka/messages.h"
#include "kafka/rounds.h"
#include "kafka/topic_changes.h"

namespace kb::kafka {
namespace {

// Brokers answer with some kilobytes per topic, and a controller takes at most 10,000 changes in one request.
constexpr std::size_t described_topics_max = 500;
constexpr std::size_t created_records_max = 5000;
constexpr std::size_t changed_records_max = 2000;
constexpr std::size_t deleted_topics_max = 500;

std::int32_t timeout_ms(const Cluster& cluster) {
  using std::chrono::milliseconds;
  // The controller has to give up before we do.
  return static_cast<std::int32_t>(
      std::chrono::duration_cast<milliseconds>(cluster.settings().connection.request_timeout / 2).count());
}

// Brokers give times also in hours and minutes (log.retention.hours); topics know only milliseconds.
std::string in_units_of_topic(const std::string& name, const DescribeConfigsResponse::Synonym& synonym) {
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 2> units{
      {{".hours", 3'600'000}, {".minutes", 60'000}}};
  auto value = synonym.value.value_or("");
  for (const auto& [suffix, factor] : units) {
    std::int64_t number = 0;
    if (!name.ends_with(".ms") || !synonym.name.ends_with(suffix) ||
        std::from_chars(value.data(), value.data() + value.size(), number).ec != std::errc())
      continue;
    return std::to_string(number < 0 ? number : number * factor);
  }
  return value;
}

TopicConfig as_topic_config(const DescribeConfigsResponse::Result& result) {
  TopicConfig config;
  for (const auto& entry : result.configs) {
    if (!entry.value) {
      if (entry.config_source == ConfigSource::dynamic_topic) config.hidden.push_back(entry.name);
      continue;
    }
    config.effective[entry.name] = *entry.value;
    if (entry.config_source == ConfigSource::dynamic_topic) config.overrides[entry.name] = *entry.value;
    // The first that is not the topic's own: they come in the order in which they hold (KIP-226).
    auto inherited = std::ranges::find_if(entry.synonyms, [](const auto& synonym) {
      return synonym.source != ConfigSource::dynamic_topic && synonym.value;
    });
    if (inherited != entry.synonyms.end())
      config.inherited[entry.name] = in_units_of_topic(entry.name, *inherited);
  }
  return config;
}

// With `denied`, topics whose configuration may not be read are noted there instead of being an error.
void describe_some(const Context& ctx, Cluster& cluster, std::set<std::string> pending, ConfigDetail detail,
                   std::map<std::string, TopicConfig>& configs,
                   std::map<std::string, std::string>* denied = nullptr) {
  Rounds rounds(cluster.settings().retry, "describing the configuration of topic");
  do {
    DescribeConfigsRequest request{.include_synonyms = detail == ConfigDetail::with_inherited};
    for (const auto& topic : pending)
      request.resources.push_back(
          {.resource_type = ConfigResourceType::topic, .resource_name = topic, .configuration_keys = {}});
    for (const auto& result : cluster.call_any(ctx, request).message.results) {
      if (denied && kind(result.error_code) == ErrorKind::denied)
        (*denied)[result.resource_name] = describe(result.error_code);
      else if (rounds.done(result.resource_name, result.error_code, result.error_message.value_or("")))
        configs[result.resource_name] = as_topic_config(result);
      else
        continue;
      pending.erase(result.resource_name);
    }
  } while (rounds.again(ctx));
  if (!pending.empty())
    fail(ErrorKind::corrupt, "the broker's answer lacks the configuration of topic {}", *pending.begin());
}

CreateTopicsRequest::Topic as_request(const NewTopic& topic) {
  CreateTopicsRequest::Topic wanted{
      .name = topic.name, .num_partitions = topic.partitions, .replication_factor = topic.replication_factor};
  for (const auto& [name, value] : topic.configs) wanted.configs.push_back({name, value});
  return wanted;
}

// Whether a topic that exists is one that an earlier attempt of ours made although its answer was lost.
bool is_like(const Context& ctx, Cluster& cluster, const NewTopic& topic) {
  for (const auto& found : cluster.metadata(ctx, {&topic.name, 1}).topics)
    if (found.name == topic.name)
      return topic.partitions < 0 || found.partitions.size() == static_cast<std::size_t>(topic.partitions);
  return false;
}

// One attempt; nothing when the request as a whole failed, after which it may have been carried out all the
// same.
template <class Request>
std::optional<typename Request::Response> ask_controller(const Context& ctx, Cluster& cluster, Rounds& rounds,
                                                         const Request& request) {
  try {
    return cluster.call_controller_once(ctx, request).message;
  } catch (const Error& error) {
    rounds.failed(error);
  }
  cluster.refresh(ctx, {});
  return std::nullopt;
}

class TopicCreation {
 public:
  TopicCreation(Cluster& cluster, std::map<std::string, NewTopic> topics)
      : cluster_(cluster), rounds_(cluster.settings().retry, "creating topic"), pending_(std::move(topics)) {}

  void run(const Context& ctx) {
    do {
      CreateTopicsRequest request{.timeout_ms = timeout_ms(cluster_)};
      for (const auto& [name, topic] : pending_) request.topics.push_back(as_request(topic));
      const auto response = ask_controller(ctx, cluster_, rounds_, request);
      if (!response)
        perhaps_created_ = true;
      else
        for (const auto& topic : response->topics) take(ctx, topic);
    } while (rounds_.again(ctx));
    if (!pending_.empty())
      fail(ErrorKind::corrupt, "the controller's answer lacks topic {}", pending_.begin()->first);
  }

 private:
  void take(const Context& ctx, const CreateTopicsResponse::Topic& answer) {
    const auto topic = pending_.find(answer.name);
    if (topic == pending_.end()) return;
    if (answer.error_code == ErrorCode::request_timed_out) perhaps_created_ = true;
    const bool made_before = answer.error_code == ErrorCode::topic_already_exists && perhaps_created_ &&
                             is_like(ctx, cluster_, topic->second);
    if (answer.error_code == ErrorCode::invalid_replication_factor &&
        brokers_are_down(ctx, topic->second.replication_factor))
      rounds_.failed(Error(ErrorKind::unavailable,
                           fmt::format("topic {} needs {} brokers, and some are down or take no replicas",
                                       answer.name, topic->second.replication_factor),
                           "start them, or give created topics fewer replicas"));
    else if (made_before || rounds_.done(answer.name, answer.error_code, answer.error_message.value_or("")))
      pending_.erase(topic);
  }

  // Whether the cluster has enough of them otherwise: its partitions have replicas on brokers that are not
  // there now. Found out once.
  bool brokers_are_down(const Context& ctx, std::int16_t replication_factor) {
    if (brokers_.empty()) {
      for (const auto& broker : cluster_.brokers()) brokers_.insert(broker.node_id);
      for (const auto& topic : cluster_.metadata_of_all_topics(ctx).topics)
        for (const auto& partition : topic.partitions)
          brokers_.insert(partition.replica_nodes.begin(), partition.replica_nodes.end());
    }
    return replication_factor > 0 && std::ssize(brokers_) >= replication_factor;
  }

  Cluster& cluster_;
  Rounds rounds_;
  std::map<std::string, NewTopic> pending_;
  std::set<std::int32_t> brokers_;  // that are there or have replicas; empty until it matters
  bool perhaps_created_ = false;    // by an earlier attempt whose answer was lost
};

std::size_t records_of(const NewTopic& topic) {
  return 1 + static_cast<std::size_t>(std::max(topic.partitions, 1)) + topic.configs.size();
}

bool has_leaders(const MetadataResponse::Topic& topic, std::int32_t partitions) {
  const auto has_leader = [](const auto& partition) { return partition.leader_id >= 0; };
  return (partitions < 0 || topic.partitions.size() == static_cast<std::size_t>(partitions)) &&
         std::ranges::all_of(topic.partitions, has_leader);
}

void wait_for_leaders(const Context& ctx, Cluster& cluster, std::map<std::string, std::int32_t> pending) {
  Rounds rounds(cluster.settings().retry, "waiting for the leaders of topic",
                cluster.settings().retry.give_up_after);
  do {
    std::vector<std::string> names;
    for (const auto& [name, partitions] : pending) names.push_back(name);
    for (const auto& topic : cluster.metadata(ctx, names).topics) {
      const auto wanted = pending.find(topic.name.value_or(""));
      if (wanted == pending.end() || !rounds.done(wanted->first, topic.error_code)) continue;
      if (has_leaders(topic, wanted->second)) pending.erase(wanted);
    }
    if (!pending.empty()) rounds.done(pending.begin()->first, ErrorCode::leader_not_available);
  } while (rounds.again(ctx));
}

void wait_until_gone(const Context& ctx, Cluster& cluster, const std::vector<std::string>& topics) {
  Rounds rounds(cluster.settings().retry, "waiting for the end of topic");
  do {
    for (const auto& topic : cluster.metadata(ctx, topics).topics)
      if (topic.error_code != ErrorCode::unknown_topic_or_partition)
        rounds.done(topic.name.value_or(""), ErrorCode::request_timed_out, "it is still there");
  } while (rounds.again(ctx));
}

void delete_some(const Context& ctx, Cluster& cluster, std::set<std::string> pending) {
  Rounds rounds(cluster.settings().retry, "deleting topic");
  do {
    const DeleteTopicsRequest request{.topic_names = {pending.begin(), pending.end()},
                                      .timeout_ms = timeout_ms(cluster)};
    const auto response = ask_controller(ctx, cluster, rounds, request);
    if (!response) continue;
    for (const auto& topic : response->responses)
      if (topic.error_code == ErrorCode::unknown_topic_or_partition ||  // gone: by us, or never there
          rounds.done(topic.name, topic.error_code, topic.error_message.value_or("")))
        pending.erase(topic.name);
  } while (rounds.again(ctx));
  if (!pending.empty()) fail(ErrorKind::corrupt, "the controller's answer lacks topic {}", *pending.begin());
}

void alter_some(const Context& ctx, Cluster& cluster, std::map<std::string, ConfigChanges> pending) {
  Rounds rounds(cluster.settings().retry, "changing the configuration of topic");
  do {
    IncrementalAlterConfigsRequest request;
    for (const auto& [topic, changes] : pending) {
      auto& resource = request.resources.emplace_back();
      resource.resource_type = ConfigResourceType::topic;
      resource.resource_name = topic;
      for (const auto& [name, value] : changes)
        resource.configs.push_back({name, value ? ConfigOperation::set : ConfigOperation::remove, value});
    }
    for (const auto& result : cluster.call_controller(ctx, request).message.responses)
      if (rounds.done(result.resource_name, result.error_code, result.error_message.value_or("")))
        pending.erase(result.resource_name);
  } while (rounds.again(ctx));
  if (!pending.empty())
    fail(ErrorKind::corrupt, "the controller's answer lacks topic {}", pending.begin()->first);
}

// Calls some() for groups of `names` of at most `size_max`.
template <class Function>
void in_groups(const std::vector<std::string>& names, std::size_t size_max, Function some) {
  for (std::size_t first = 0; first < names.size(); first += size_max) {
    const auto begin = names.begin() + static_cast<std::ptrdiff_t>(first);
    some(std::vector<std::string>(
        begin, begin + static_cast<std::ptrdiff_t>(std::min(size_max, names.size() - first))));
  }
}

}  // namespace

std::map<std::string, TopicConfig> topic_configs(const Context& ctx, Cluster& cluster,
                                                 const std::vector<std::string>& topics,
                                                 ConfigDetail detail) {
  std::map<std::string, TopicConfig> configs;
  in_groups(topics, described_topics_max, [&](const std::vector<std::string>& some) {
    describe_some(ctx, cluster, {some.begin(), some.end()}, detail, configs);
  });
  return configs;
}

ReadableConfigs readable_topic_configs(const Context& ctx, Cluster& cluster,
                                       const std::vector<std::string>& topics) {
  ReadableConfigs found;
  in_groups(topics, described_topics_max, [&](const std::vector<std::string>& some) {
    describe_some(ctx, cluster, {some.begin(), some.end()}, ConfigDetail::effective, found.configs,
                  &found.denied);
  });
  return found;
}

void create_topics(const Context& ctx, Cluster& cluster, const std::vector<NewTopic>& topics) {
  std::map<std::string, std::int32_t> partitions;
  std::map<std::string, NewTopic> together;
  std::size_t records = 0;
  const auto create = [&] {
    if (!together.empty()) TopicCreation(cluster, std::exchange(together, {})).run(ctx);
    records = 0;
  };
  for (const auto& topic : topics) {
    if (!partitions.emplace(topic.name, topic.partitions).second)
      fail(ErrorKind::invalid, "topic {} is to be created twice", topic.name);
    if (records + records_of(topic) > created_records_max) create();
    together[topic.name] = topic;
    records += records_of(topic);
  }
  create();
  if (!partitions.empty()) wait_for_leaders(ctx, cluster, std::move(partitions));
}

void delete_topics(const Context& ctx, Cluster& cluster, const std::vector<std::string>& topics) {
  in_groups(topics, deleted_topics_max, [&](const std::vector<std::string>& some) {
    delete_some(ctx, cluster, {some.begin(), some.end()});
    wait_until_gone(ctx, cluster, some);
  });
}

void alter_topic_configs(const Context& ctx, Cluster& cluster,
                         const std::map<std::string, ConfigChanges>& changes) {
  std::map<std::string, ConfigChanges> together;
  std::size_t records = 0;
  const auto alter = [&] {
    if (!together.empty()) alter_some(ctx, cluster, std::exchange(together, {}));
    records = 0;
  };
  for (const auto& [topic, of_topic] : changes) {
    if (of_topic.empty()) continue;
    if (records + of_topic.size() > changed_records_max) alter();
    together[topic] = of_topic;
    records += of_topic.size();
  }
  alter();
}

void alter_topic_config(const Context& ctx, Cluster& cluster, const std::string& topic,
                        const ConfigChanges& changes) {
  alter_topic_configs(ctx, cluster, {{topic, changes}});
}

}  // namespace kb::kafka
