// Leader election against a real API server, within one process; tests/e2e/kube_client.sh has several, and
// stops and kills them.
#include <atomic>
#include <future>

#include "kube/lease.h"
#include "kube_test_server.h"

#include <doctest/doctest.h>

namespace kb::kube {
namespace {

using namespace std::chrono_literals;

// Long enough that nobody gets it by waiting.
LeaseSettings long_lease(const TestNamespace& test, const std::string& identity) {
  return {.resource_namespace = test.name,
          .name = "lease",
          .identity = identity,
          .lease_duration = 1h,
          .renew_deadline = 30min,
          .retry_period = 50ms};
}

void wait_for_stop(const Context& ctx) {
  ctx.sleep_for(10min);
}

TEST_CASE("one leads, the other waits until it is given back") {
  TestNamespace test;
  LeaderElection first(*test.api, long_lease(test, "first"));
  LeaderElection second(*test.api, long_lease(test, "second"));
  CHECK_FALSE(first.may_write());
  CHECK_FALSE(first.contacted());
  std::stop_source stop;
  std::atomic<bool> second_led = false;
  auto first_run = std::async(std::launch::async, [&] {
    return failure_of([&] { first.run({stop.get_token()}, wait_for_stop); }).kind();
  });
  wait_until([&] { return first.may_write(); });
  auto second_run = std::async(std::launch::async, [&] {
    return second.run(soon(), [&](const Context&) { second_led = second.may_write() && !first.may_write(); });
  });
  wait_until([&] { return second.holder() == "first"; });
  CHECK(second.contacted());
  CHECK_FALSE(second.may_write());
  CHECK_FALSE(second_led);
  auto lease = *get(soon(), *test.api, test.path("lease", leases));
  CHECK_EQ(text_at(lease, "spec.holderIdentity"), "first");
  CHECK_EQ(integer_at(lease, "spec.leaseDurationSeconds"), 3600);

  stop.request_stop();
  CHECK_EQ(first_run.get(), ErrorKind::cancelled);
  CHECK(second_run.get());  // `lead` returned by itself
  CHECK(second_led);
  CHECK_FALSE(second.may_write());
  lease = *get(soon(), *test.api, test.path("lease", leases));
  CHECK_EQ(text_at(lease, "spec.holderIdentity"), "");
  CHECK_EQ(integer_at(lease, "spec.leaseTransitions"), 1);
}

TEST_CASE("who finds somebody else in the lease has lost it, and writes are refused from then on") {
  TestNamespace test;
  LeaderElection election(*test.api, long_lease(test, "me"));
  LeaderOnlyApi guarded(*test.api, election);
  auto write = [&](const std::string& name) {
    create(soon(), guarded, test.path(), test.config_map(name, "x"));
  };
  CHECK_EQ(failure_of([&] { write("a"); }).kind(), ErrorKind::conflict);
  std::atomic<bool> told = false;
  auto run = std::async(std::launch::async, [&] {
    return election.run(soon(), [&](const Context& ctx) {
      write("a");
      told = failure_of([&] { wait_for_stop(ctx); }).kind() == ErrorKind::cancelled && !election.may_write();
      ctx.check();
    });
  });
  wait_until([&] { return get(soon(), *test.api, test.path("a")).has_value(); });
  merge_patch(soon(), *test.api, test.path("lease", leases), {{"spec", {{"holderIdentity", "thief"}}}}, "x");
  CHECK_FALSE(run.get());
  CHECK(told);
  CHECK_EQ(failure_of([&] { write("b"); }).kind(), ErrorKind::conflict);
  CHECK(get(soon(), guarded, test.path("a")));
  auto lease = *get(soon(), *test.api, test.path("lease", leases));
  CHECK_EQ(text_at(lease, "spec.holderIdentity"), "thief");  // it is not ours to give back
}

TEST_CASE("a lease that somebody deletes is made again without losing the lead") {
  TestNamespace test;
  LeaderElection election(*test.api, long_lease(test, "me"));
  std::stop_source stop;
  auto run = std::async(std::launch::async, [&] {
    return failure_of([&] { election.run({stop.get_token()}, wait_for_stop); }).kind();
  });
  wait_until([&] { return election.may_write(); });
  auto uid = text_at(*get(soon(), *test.api, test.path("lease", leases)), "metadata.uid");
  remove(soon(), *test.api, test.path("lease", leases), Propagation::background);
  wait_until([&] { return get(soon(), *test.api, test.path("lease", leases)).has_value(); });
  CHECK(election.may_write());
  stop.request_stop();
  CHECK_EQ(run.get(), ErrorKind::cancelled);
}

TEST_CASE("what `lead` throws is passed on, after the lease is given back") {
  TestNamespace test;
  LeaderElection election(*test.api, long_lease(test, "me"));
  auto thrown =
      failure_of([&] { election.run(soon(), [](const Context&) { fail(ErrorKind::corrupt, "mine"); }); });
  CHECK_EQ(thrown.kind(), ErrorKind::corrupt);
  CHECK_EQ(text_at(*get(soon(), *test.api, test.path("lease", leases)), "spec.holderIdentity"), "");
}

}  // namespace
}  // namespace kb::kube
