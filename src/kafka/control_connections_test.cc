#include "kafka/control_connections.h"

#include <atomic>
#include <thread>

#include "base/error.h"
#include "kafka/messages_cluster.h"
#include "kafka/scripted_broker.h"
#include "net/loopback_listener.h"

#include <doctest/doctest.h>

namespace kb::kafka {
namespace {

using namespace std::chrono_literals;

// Nobody answers here in a test: the waits are as short as they can be.
ConnectionSettings impatient() {
  return {.connect_timeout = 20ms, .request_timeout = 20ms};
}

std::shared_ptr<CircuitBreakers> no_breakers() {
  return std::make_shared<CircuitBreakers>();
}

ErrorKind outcome(ControlConnections& control, const Endpoint& endpoint,
                  const Context& ctx = within_a_minute()) {
  try {
    control.call(ctx, endpoint, MetadataRequest{});
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::internal;
}

Endpoint refusing() {
  return LoopbackListener().endpoint();
}

TEST_CASE("the first is the most promising, until it fails; then the longest ago failed") {
  ControlConnections control(ConnectionSettings{}, no_breakers());
  const std::vector<Endpoint> candidates{refusing(), refusing(), refusing()};
  CHECK_EQ(control.most_promising(candidates), candidates[0]);
  CHECK_EQ(outcome(control, candidates[0]), ErrorKind::unavailable);
  CHECK_EQ(control.most_promising(candidates), candidates[1]);
  CHECK_EQ(outcome(control, candidates[1]), ErrorKind::unavailable);
  CHECK_EQ(control.most_promising(candidates), candidates[2]);
  CHECK_EQ(outcome(control, candidates[2]), ErrorKind::unavailable);
  CHECK_EQ(control.most_promising(candidates), candidates[0]);
  CHECK_EQ(outcome(control, candidates[0]), ErrorKind::unavailable);
  CHECK_EQ(control.most_promising(candidates), candidates[1]);
}

TEST_CASE("an address that keeps failing is left alone, and is the last one to be asked") {
  auto breakers = no_breakers();
  breakers->enable({.failure_threshold = 2, .reset_timeout = 1h, .success_threshold = 1});
  ControlConnections control(ConnectionSettings{}, breakers);
  const std::vector<Endpoint> candidates{refusing(), refusing()};
  for (int i = 0; i < 2; ++i) outcome(control, candidates[0]);
  outcome(control, candidates[1]);  // later than the other, which would be asked next without breakers
  CHECK_EQ(control.most_promising(candidates), candidates[1]);
  try {
    control.call(within_a_minute(), candidates[0], MetadataRequest{});
    FAIL("it was asked");
  } catch (const Error& error) {
    CHECK_EQ(error.kind(), ErrorKind::unavailable);
    CHECK(std::string(error.what()).find("is left alone for another") != std::string::npos);
  }
  CHECK_EQ(breakers->all().at(0).times_opened + breakers->all().at(1).times_opened, 1);
}

TEST_CASE("addresses that are no longer wanted are dropped") {
  ControlConnections control(ConnectionSettings{}, no_breakers());
  const std::vector<Endpoint> endpoints{refusing(), refusing()};
  for (const auto& endpoint : endpoints) outcome(control, endpoint);
  CHECK_EQ(control.size(), 2);
  control.keep_only(std::span(endpoints).first(1));
  CHECK_EQ(control.size(), 1);
  CHECK_EQ(control.most_promising(endpoints), endpoints[1]);  // its failure went with it
}

TEST_CASE(
    "while one address hangs, it is not promising, and who waits for it is not kept beyond the timeout") {
  LoopbackListener silent;
  const std::vector<Endpoint> candidates{silent.endpoint(), refusing()};
  ConnectionSettings patient{.connect_timeout = 60s, .request_timeout = 60s};
  ControlConnections control(patient, no_breakers());
  std::stop_source stop;
  std::jthread hanging([&] { outcome(control, candidates[0], Context{stop.get_token()}); });
  LoopbackPeer peer(silent.accept());
  peer.receive(4);  // its request is on the way, so it has its turn
  CHECK_EQ(control.most_promising(candidates), candidates[1]);
  CHECK_EQ(outcome(control, candidates[1]), ErrorKind::unavailable);
  CHECK_EQ(control.most_promising(candidates), candidates[1]);
  CHECK_EQ(outcome(control, candidates[0], Context{}.with_timeout(5ms)), ErrorKind::timed_out);
  control.keep_only({});  // what is in use stays
  CHECK_EQ(control.size(), 1);

  std::stop_source stop_waiting;
  std::jthread waiting([&] {
    CHECK_EQ(outcome(control, candidates[0], Context{stop_waiting.get_token()}), ErrorKind::cancelled);
  });
  stop_waiting.request_stop();
  waiting.join();
  stop.request_stop();
}

TEST_CASE("an answer that never comes ends in a bounded time") {
  LoopbackListener silent;
  ControlConnections control(impatient(), no_breakers());
  CHECK_EQ(outcome(control, silent.endpoint()), ErrorKind::timed_out);
}

TEST_CASE("a connection that its broker has closed meanwhile is opened anew, and nothing has failed") {
  LoopbackListener listener;
  ControlConnections control(ConnectionSettings{}, no_breakers());
  for (int i = 0; i < 2; ++i) {
    std::jthread broker([&] {
      LoopbackPeer peer(listener.accept());
      for (const auto& answer : {versions_answer(), cluster_answer(2, "ours")}) {
        const auto size = read_big_endian<int32_t>(peer.receive(sizeof(int32_t)).data());
        peer.receive(static_cast<std::size_t>(size));
        peer.send(answer);
      }
    });
    CHECK_EQ(control.call(within_a_minute(), listener.endpoint(), MetadataRequest{}).message.cluster_id,
             "ours");
  }
}

TEST_CASE("threads take turns") {
  ControlConnections control(ConnectionSettings{}, no_breakers());
  const std::vector<Endpoint> endpoints{refusing(), refusing()};
  std::atomic<int> refused = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&, i] {
        for (int n = 0; n < 50; ++n) {
          auto which = static_cast<std::size_t>(i + n) % 2;
          if (outcome(control, endpoints[which]) == ErrorKind::unavailable) ++refused;
          if (n % 10 == 0) control.keep_only(std::span(endpoints).subspan(which, 1));
        }
      });
  }
  CHECK_EQ(refused, 200);
}

}  // namespace
}  // namespace kb::kafka
