// A process that wants to lead, for tests/e2e/kube_client.sh:
//   kube_lease_holder NAMESPACE NAME IDENTITY SECONDS
// Prints "leads" and "lost"; answers each line on stdin with "may write" or "may not write", and ends at
// "end".
#include <iostream>

#include "base/task_group.h"
#include "kube/lease.h"
#include "kube_test_server.h"

namespace kb::kube {
namespace {

void say(const std::string& line) {
  static auto* mutex = new std::mutex;
  std::lock_guard lock(*mutex);
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

void hold(Api& api, const LeaseSettings& settings) {
  LeaderElection election(api, settings);
  std::stop_source stop;
  TaskGroup group({stop.get_token()});
  group.spawn([&](const Context& ctx) {
    for (;;) {
      election.run(ctx, [](const Context& leading) {
        say("leads");
        leading.sleep_for(std::chrono::hours(1));
      });
      say("lost");
    }
  });
  for (std::string line; std::getline(std::cin, line) && line != "end";)
    say(election.may_write() ? "may write" : "may not write");
  stop.request_stop();
  auto ended = failure_of([&] { group.wait(); });
  say(ended.what());
}

}  // namespace
}  // namespace kb::kube

int main(int, char** arguments) {
  using namespace kb::kube;
  const std::chrono::seconds duration(std::stoi(arguments[4]));
  auto api = connect(test_config());
  hold(*api, {.resource_namespace = arguments[1],
              .name = arguments[2],
              .identity = arguments[3],
              .lease_duration = duration,
              .renew_deadline = duration * 2 / 3,
              .retry_period = std::chrono::milliseconds(200)});
}
