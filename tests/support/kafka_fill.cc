// Makes topics that are awkward to back up, with librdkafka.
#include <chrono>

#include <fmt/core.h>

#include "fill.h"

namespace tool {
namespace {

std::vector<Scenario> all_scenarios() {
  std::vector<Scenario> all;
  for (auto group : {record_scenarios(), log_scenarios(), transaction_scenarios(), bulk_scenarios()}) {
    all.insert(all.end(), group.begin(), group.end());
  }
  return all;
}

std::string usage() {
  std::string text =
      "usage: kafka_fill BOOTSTRAP SCENARIO... [--prefix P] [--seed N] [--scale X]\n"
      "  --scale multiplies the number of records; `all` is every scenario but those marked *\n"
      "options of bulk: --topic T --bytes 2G --record-bytes N --partitions N --codec C --batch-bytes N\n"
      "  --batch-records N (1: a batch for every record) --linger-ms N --incompressible\n"
      "  --rate BYTES (a second, with the timestamps of now)\n"
      "scenarios:\n";
  for (const Scenario& each : all_scenarios()) {
    text += fmt::format("  {:22}{}{}\n", each.name, each.makes, each.in_all ? "" : " *");
  }
  return text;
}

std::vector<Scenario> chosen(const std::vector<std::string>& words) {
  std::vector<Scenario> chosen;
  for (std::size_t i = 1; i < words.size(); i++) {
    std::size_t before = chosen.size();
    for (const Scenario& each : all_scenarios()) {
      if (words[i] == each.name || (words[i] == "all" && each.in_all)) chosen.push_back(each);
    }
    if (chosen.size() == before) throw UsageError("there is no scenario " + words[i]);
  }
  if (chosen.empty()) throw UsageError("BOOTSTRAP or SCENARIO is missing");
  return chosen;
}

int run(int argc, char** argv) {
  Arguments arguments(argc, argv,
                      {"prefix", "seed", "scale", "topic", "bytes", "record-bytes", "partitions", "codec",
                       "batch-bytes", "batch-records", "linger-ms", "rate"},
                      {"incompressible"});
  auto scenarios = chosen(arguments.words());
  Fill fill{arguments.words()[0], arguments.text("prefix", ""),
            static_cast<std::uint64_t>(arguments.number("seed", 1)), arguments.real("scale", 1), arguments};
  for (const Scenario& each : scenarios) {
    auto started = std::chrono::steady_clock::now();
    try {
      each.fill(fill);
    } catch (const std::exception& error) {
      throw std::runtime_error(fmt::format("scenario {}: {}", each.name, error.what()));
    }
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
    fmt::print("filled {:22} {:5.1f} s\n", each.name, took.count());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

Random Fill::random(std::string_view name) const {
  std::uint64_t mixed = seed;
  for (char c : name) mixed = mixed * 1'000'003 + static_cast<unsigned char>(c);
  return Random(mixed);
}

}  // namespace tool

int main(int argc, char** argv) {
  return tool::run_main(tool::usage(), tool::run, argc, argv);
}
