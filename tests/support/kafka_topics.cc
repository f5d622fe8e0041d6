// Lists or deletes topics, with librdkafka.
#include <fmt/core.h>

#include "arguments.h"
#include "kafka_client.h"

namespace {
constexpr std::string_view usage =
    "usage: kafka_topics BOOTSTRAP list PREFIX      prints `topic partitions` of each\n"
    "       kafka_topics BOOTSTRAP delete PREFIX    deletes them and waits until the broker lists none\n"
    "       kafka_topics BOOTSTRAP create TOPIC PARTITIONS [KEY=VALUE]...\n";

std::vector<std::string> topics_with(tool::Admin& admin, const std::string& prefix) {
  auto topics = admin.topics();
  std::erase_if(topics, [&](const std::string& topic) { return !topic.starts_with(prefix); });
  return topics;
}

void create(tool::Admin& admin, const std::vector<std::string>& words) {
  if (words.size() < 4) throw tool::UsageError("PARTITIONS is missing");
  tool::Settings settings;
  for (std::size_t i = 4; i < words.size(); i++) {
    auto equal = words[i].find('=');
    if (equal == std::string::npos) throw tool::UsageError(words[i] + " is not KEY=VALUE");
    settings.emplace_back(words[i].substr(0, equal), words[i].substr(equal + 1));
  }
  admin.create_topic(words[2], static_cast<std::int32_t>(tool::parse_number(words[3])), settings);
}

int run(int argc, char** argv) {
  tool::Arguments arguments(argc, argv, {}, {});
  const auto& words = arguments.words();
  if (words.size() < 3) throw tool::UsageError("three words are needed");
  tool::Admin admin(words[0]);
  if (words[1] == "create") {
    create(admin, words);
  } else if (words[1] == "list") {
    for (const auto& topic : topics_with(admin, words[2])) {
      fmt::print("{} {}\n", topic, admin.partition_count(topic));
    }
  } else if (words[1] == "delete") {
    admin.delete_topics(topics_with(admin, words[2]));
    auto gone = [&] { return topics_with(admin, words[2]).empty(); };
    tool::wait_for("the deletion of topics", std::chrono::seconds(60), gone);
  } else {
    throw tool::UsageError("unknown command " + words[1]);
  }
  return 0;
}
}  // namespace

int main(int argc, char** argv) {
  return tool::run_main(usage, run, argc, argv);
}
