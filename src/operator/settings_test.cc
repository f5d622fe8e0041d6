#include "operator/settings.h"

#include "base/error.h"

#include <doctest/doctest.h>

namespace kb::op {
namespace {

Settings settings_of(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--worker-image", "x:1"});
  return std::get<Settings>(read_settings(arguments));
}

TEST_CASE("levels as users of other operators write them") {
  CHECK(settings_of({}).log_level == "info");
  CHECK(settings_of({"--log-level", "warn"}).log_level == "warn");
  CHECK(settings_of({"--log-level", "info,kafka_backup_operator=debug"}).log_level == "debug");
  CHECK(settings_of({"--log-level", "kafka_backup_operator=error,kube=warn, info"}).log_level == "error");
  CHECK(settings_of({"--log-level", "kube=warn"}).log_level == "info");
}

TEST_CASE("durations and lists") {
  auto settings = settings_of({"--lease-duration", "1m", "--renew-deadline", "30", "--retry-period", "500ms",
                               "--watch-namespaces", "a, b,,c", "--leader-elect", "false",
                               "--metrics-max-partition-labels", "0"});
  CHECK(settings.lease_duration == std::chrono::minutes(1));
  CHECK(settings.renew_deadline == std::chrono::seconds(30));
  CHECK(settings.retry_period == std::chrono::milliseconds(500));
  CHECK(settings.watch_namespaces == std::vector<std::string>{"a", "b", "c"});
  CHECK(!settings.leader_elect);
  CHECK(settings.partition_labels_max == 0);
}

TEST_CASE("two replicas of one name are told apart") {
  CHECK(settings_of({"--identity", "pod"}).identity != settings_of({"--identity", "pod"}).identity);
}

TEST_CASE("what is wrong is named") {
  for (const auto& wrong : {
           std::pair{std::vector<std::string>{"--lease-duration", "soon"}, "--lease-duration"},
           {{"--lease-duration", "0s"}, "--lease-duration"},
           {{"--renew-deadline", "20s"}, "--renew-deadline"},
           {{"--leader-elect", "perhaps"}, "--leader-elect"},
           {{"--log-level", "loud"}, "loud"},
           {{"--log-format", "xml"}, "--log-format"},
           {{"--metrics-address", "8080"}, "8080"},
           {{"--worker-resources", "[]"}, "--worker-resources"},
           {{"--worker-resources", "{"}, "--worker-resources"},
           {{"--reconcilers", "0"}, "--reconcilers"},
           {{"--metrics-max-partition-labels", "-1"}, "--metrics-max-partition-labels"},
           {{"--what"}, "--what"},
       }) {
    const std::string piece = wrong.second;
    CAPTURE(piece);
    try {
      settings_of(wrong.first);
      CHECK(false);
    } catch (const Error& error) {
      CHECK_MESSAGE(std::string(error.what()).find(piece) != std::string::npos, error.what());
    }
  }
  CHECK_THROWS_WITH_AS(read_settings({}), "--worker-image is missing", Error);
}

}  // namespace
}  // namespace kb::op
