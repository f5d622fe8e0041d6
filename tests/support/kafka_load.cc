// Writes to a topic at a steady rate until SIGTERM, as a careful producer does (idempotent, all
// acknowledgements), whatever becomes of the brokers meanwhile. The keys of a partition are 0, 1, 2, ...:
// what is lost or twice shows.
#include <atomic>
#include <chrono>
#include <csignal>
#include <random>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "arguments.h"
#include "kafka_client.h"

namespace {
constexpr std::string_view usage =
    "usage: kafka_load BOOTSTRAP TOPIC PARTITIONS [options]\n"
    "  --rate N                  records a second, of all partitions (400)\n"
    "  --count N                 ends after so many, written as fast as can be\n"
    "  --first-key N             the first key of each partition (0)\n"
    "  --record-bytes N          size of a value (500)\n"
    "The topic exists. Ends after SIGTERM, when everything is acknowledged, and prints how much that is.\n";

std::atomic<bool> stopped = false;

class Load {
  static constexpr std::size_t values = 4096;  // distinct ones

 public:
  Load(const tool::Arguments& arguments)
      : topic_(arguments.words()[1]),
        next_(static_cast<std::size_t>(tool::parse_number(arguments.words()[2])),
              arguments.number("first-key", 0)),
        rate_(arguments.number("rate", 400)),
        count_(arguments.number("count", -1)),
        record_bytes_(static_cast<std::size_t>(arguments.number("record-bytes", 500))),
        producer_(arguments.words()[0],
                  {{"enable.idempotence", "true"}, {"message.timeout.ms", "900000"}, {"linger.ms", "20"}}) {
    std::minstd_rand random;
    for (std::size_t i = 0; i < record_bytes_ + values; ++i) pool_ += static_cast<char>(random() >> 8);
  }

  std::int64_t run() {
    const auto begun = std::chrono::steady_clock::now();
    std::int64_t sent = 0;
    while (!stopped) {
      const std::chrono::duration<double> since = std::chrono::steady_clock::now() - begun;
      const auto due =
          count_ >= 0 ? count_ : static_cast<std::int64_t>(since.count() * static_cast<double>(rate_));
      for (; sent < due; ++sent) send(static_cast<std::size_t>(sent) % next_.size());
      if (sent == count_) break;
      timespec pause{.tv_sec = 0, .tv_nsec = 20'000'000};
      nanosleep(&pause, nullptr);
    }
    producer_.flush();
    return sent;
  }

 private:
  static std::int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
  void send(std::size_t partition) {
    const auto key = next_[partition]++;
    const auto value = pool_.substr(static_cast<std::size_t>(key) % values, record_bytes_);
    // Of now: a broker that is killed forgets producers whose records are old, and takes what they send
    // again.
    producer_.produce(topic_, static_cast<std::int32_t>(partition),
                      {.key = std::to_string(key), .value = value, .headers = {}, .timestamp_ms = now_ms()});
  }

  const std::string topic_;
  std::vector<std::int64_t> next_;  // key of each partition
  const std::int64_t rate_;
  const std::int64_t count_;  // -1: until stopped
  const std::size_t record_bytes_;
  std::string pool_;  // that values are taken from
  tool::Producer producer_;
};

int run(int argc, char** argv) {
  tool::Arguments arguments(argc, argv, {"rate", "count", "first-key", "record-bytes"}, {});
  if (arguments.words().size() != 3) throw tool::UsageError("three words are needed");
  std::signal(SIGTERM, [](int) { stopped = true; });
  fmt::print("{} records\n", Load(arguments).run());
  return 0;
}
}  // namespace

int main(int argc, char** argv) {
  return tool::run_main(usage, run, argc, argv);
}
