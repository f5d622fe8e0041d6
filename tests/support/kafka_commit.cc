// Commits offsets of a consumer group, or prints them, with librdkafka.
#include <cstring>

#include <fmt/core.h>

#include "arguments.h"
#include "kafka_client.h"

namespace {
constexpr std::string_view usage =
    "usage: kafka_commit BOOTSTRAP GROUP (TOPIC PARTITION OFFSET[:METADATA])...\n"
    "       kafka_commit BOOTSTRAP GROUP --show (TOPIC PARTITION)...\n"
    "--show prints `topic partition offset metadata`, where no commit is offset -1001.\n";
constexpr int timeout_ms = 30'000;

struct Commit {
  std::string topic;
  std::int32_t partition;
  std::string offset;
};

std::vector<Commit> parse(const std::vector<std::string>& words, bool with_offset) {
  std::size_t width = with_offset ? 3 : 2;
  if (words.size() < 2 + width || (words.size() - 2) % width != 0)
    throw tool::UsageError("wrong number of words");
  std::vector<Commit> commits;
  for (std::size_t i = 2; i < words.size(); i += width) {
    commits.push_back({words[i], static_cast<std::int32_t>(tool::parse_number(words[i + 1])),
                       with_offset ? words[i + 2] : ""});
  }
  return commits;
}

void set_commit(rd_kafka_topic_partition_t& place, const std::string& text) {
  auto colon = text.find(':');
  place.offset = tool::parse_number(text.substr(0, colon));
  if (colon == std::string::npos) return;
  std::string metadata = text.substr(colon + 1);
  place.metadata_size = metadata.size();
  place.metadata = ::strdup(metadata.c_str());  // librdkafka frees it
}

int commit(int argc, char** argv) {
  tool::Arguments arguments(argc, argv, {}, {"show"});
  bool show = arguments.has("show");
  auto commits = parse(arguments.words(), !show);
  auto client =
      tool::make_client(RD_KAFKA_CONSUMER, arguments.words()[0],
                        {{"group.id", arguments.words()[1]}, {"enable.auto.commit", "false"}}, nullptr);
  tool::PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(commits.size())));
  for (const Commit& each : commits) {
    auto* place = rd_kafka_topic_partition_list_add(list.get(), each.topic.c_str(), each.partition);
    if (!show) set_commit(*place, each.offset);
  }
  if (!show) {
    tool::require(rd_kafka_commit(client.get(), list.get(), 0), "commit");
    return 0;
  }
  tool::require(rd_kafka_committed(client.get(), list.get(), timeout_ms), "fetch offsets");
  for (int i = 0; i < list->cnt; i++) {
    const auto& place = list->elems[i];
    std::string_view metadata(static_cast<const char*>(place.metadata), place.metadata_size);
    fmt::print("{} {} {} {}\n", place.topic, place.partition, place.offset, metadata);
  }
  return 0;
}
}  // namespace

int main(int argc, char** argv) {
  return tool::run_main(usage, commit, argc, argv);
}
