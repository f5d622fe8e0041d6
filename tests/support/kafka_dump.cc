// Reads topics with librdkafka from beginning to end and writes what a consumer sees, one line per record.
#include <fmt/core.h>

#include "arguments.h"
#include "dump_file.h"

namespace {
constexpr std::string_view usage =
    "usage: kafka_dump BOOTSTRAP TOPIC...|--all --output FILE [options]\n"
    "  --all                     every topic that is not internal\n"
    "  --prefix P                every topic whose name starts with P\n"
    "  --isolation LEVEL         read_uncommitted (default) or read_committed\n"
    "  --offsets                 write offsets too\n"
    "  --digest                  one line per partition only: record count and SHA-256\n"
    "The lines are described in tests/support/dump_line.h.\n";

std::vector<std::string> chosen_topics(const tool::Arguments& arguments) {
  const auto& words = arguments.words();
  if (!arguments.has("all") && !arguments.has("prefix")) return {words.begin() + 1, words.end()};
  std::string prefix = arguments.text("prefix", "");
  std::vector<std::string> topics;
  for (const std::string& topic : tool::Admin(words[0]).topics()) {
    if (topic.starts_with(prefix)) topics.push_back(topic);
  }
  return topics;
}

int dump(int argc, char** argv) {
  tool::Arguments arguments(argc, argv, {"output", "isolation", "prefix"}, {"all", "offsets", "digest"});
  if (arguments.words().empty() || !arguments.has("output"))
    throw tool::UsageError("BOOTSTRAP or --output is missing");
  tool::Reader reader(arguments.words()[0], arguments.text("isolation", "read_uncommitted"));
  auto topics = chosen_topics(arguments);
  auto bounds = reader.bounds(topics);
  tool::DumpFile file(bounds, arguments.has("offsets"), !arguments.has("digest"));
  reader.read(bounds,
              [&](std::size_t index, const rd_kafka_message_t& message) { file.add(index, message); });
  auto records = file.write(arguments.text("output", ""));
  fmt::print("{} topics, {} partitions, {} records\n", topics.size(), bounds.size(), records);
  return 0;
}
}  // namespace

int main(int argc, char** argv) {
  return tool::run_main(usage, dump, argc, argv);
}
