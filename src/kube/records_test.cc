// The pure sides of leases, events and counting.
#include "kube/counting_api.h"
#include "kube/event_recorder.h"
#include "kube/lease_record.h"

#include <doctest/doctest.h>

namespace kb::kube {
namespace {

TEST_CASE("a lease is made, renewed, taken over and given back") {
  const LeaseSettings first{.resource_namespace = "n", .name = "l", .identity = "a"};
  const LeaseSettings second{.resource_namespace = "n", .name = "l", .identity = "b"};
  const WallTime at(std::chrono::microseconds(1'700'000'000'000'007));
  CHECK_EQ(micro_time(at), "2023-11-14T22:13:20.000007Z");
  auto lease = new_lease(first, at);
  const LeaseRecord made = read_lease(lease);
  CHECK_EQ(made.holder, "a");
  CHECK_EQ(made.duration_s, 15);
  CHECK_EQ(made.renew_time, micro_time(at));
  lease.as_object()["metadata"].as_object()["resourceVersion"] = "7";

  auto renewed = read_lease(renewed_lease(lease, first, at + std::chrono::seconds(2)));
  CHECK_EQ(renewed.acquire_time, made.acquire_time);
  CHECK_EQ(renewed.transitions, 0);
  CHECK_NE(renewed.renew_time, made.renew_time);

  auto taken = renewed_lease(lease, second, at + std::chrono::seconds(20));
  CHECK_EQ(text_at(taken, "metadata.resourceVersion"), "7");
  CHECK_EQ(read_lease(taken).holder, "b");
  CHECK_EQ(read_lease(taken).transitions, 1);
  CHECK_NE(read_lease(taken).acquire_time, made.acquire_time);

  auto released = read_lease(released_lease(taken, at));
  CHECK_EQ(released.holder, "");
  CHECK_EQ(released.duration_s, 1);
  CHECK_EQ(released.transitions, 1);
}

TEST_CASE("a lease without a spec") {
  auto taken = renewed_lease(json::value{{"spec", nullptr}}, {.identity = "a"}, {});
  CHECK_EQ(read_lease(taken).holder, "a");
}

// Answers nothing, or fails.
struct Scripted : Api {
  std::optional<ErrorKind> failure;
  std::string send(const Context&, const Request&) override {
    if (failure) fail(*failure, "as told");
    return "{}";
  }
  void stream(const Context&, const Request&, const std::function<void(std::string_view)>&) override {}
};

TEST_CASE("requests are counted by what they ask for") {
  Scripted inner;
  CountingApi api(inner);
  auto ask = [&](const std::string& method, const std::string& path) {
    try {
      api.send({}, {.method = method, .path = path});
    } catch (const Error& error) {
      CHECK_EQ(error.kind(), *inner.failure);
    }
  };
  ask("GET", "/apis/batch/v1/namespaces/a/jobs/x?b=/c");
  ask("GET", "/apis/batch/v1/jobs?limit=1");
  ask("POST", "/api/v1/namespaces/a/pods");
  ask("GET", "/api/v1/namespaces/a");
  ask("GET", "/readyz");
  api.stream({}, {.path = "/api/v1/pods?watch=true"}, [](std::string_view) {});
  inner.failure = ErrorKind::unavailable;
  ask("GET", "/apis/batch/v1/jobs");
  inner.failure = ErrorKind::cancelled;
  ask("GET", "/apis/batch/v1/jobs");
  auto counts = api.counts();
  CHECK_EQ(counts[{"GET", "jobs"}].requests, 4);
  CHECK_EQ(counts[{"GET", "jobs"}].failures, 1);
  CHECK_EQ(counts[{"POST", "pods"}].requests, 1);
  CHECK_EQ(counts[{"GET", "namespaces"}].requests, 1);
  CHECK_EQ(counts[{"GET", ""}].requests, 1);
  CHECK_EQ(counts[{"WATCH", "pods"}].requests, 1);
}

}  // namespace
}  // namespace kb::kube
