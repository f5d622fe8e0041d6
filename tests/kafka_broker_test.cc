// Connections and Cluster against real brokers; tests/e2e/broker_connections.sh starts them and runs this.
//   KAFKA_BOOTSTRAP    bootstrap servers of one cluster of two brokers, node ids 1 and 2
//   KAFKA_BROKER_DIRS  the folders of brokers 1 (also the controller) and 2, for KAFKA_SH:
//   tests/support/kafka.sh
#include <atomic>
#include <cstdlib>
#include <future>
#include <sstream>
#include <thread>
#include <vector>

#include "base/task_group.h"
#include "kafka_test_cluster.h"
#include "net/loopback_listener.h"

#include <doctest/doctest.h>

namespace kb::kafka {
namespace {

using namespace std::chrono_literals;

ClusterSettings settings() {
  ClusterSettings settings{.bootstrap_servers = parse_endpoints(environment("KAFKA_BOOTSTRAP"))};
  settings.retry.give_up_after = 150s;
  return settings;
}

// One of the two brokers as a process. Whatever a test did to it, it serves again afterwards.
class BrokerProcess {
 public:
  explicit BrokerProcess(int node_id) {
    std::istringstream dirs(environment("KAFKA_BROKER_DIRS"));
    for (int i = 0; i < node_id; ++i) dirs >> dir_;
  }
  ~BrokerProcess() {
    if (paused_) run("resume");
    if (killed_) run("start");
  }
  BrokerProcess(const BrokerProcess&) = delete;
  void pause() { run("pause"), paused_ = true; }
  void resume() { run("resume"), paused_ = false; }
  void kill() { run("kill"), killed_ = true; }
  void start() { run("start"), killed_ = false; }

 private:
  void run(const std::string& command) {
    auto line = fmt::format("{} {} {} >/dev/null", environment("KAFKA_SH"), command, dir_);
    CHECK_EQ(std::system(line.c_str()), 0);
  }
  std::string dir_;
  bool paused_ = false, killed_ = false;
};

Endpoint endpoint_of(const Cluster& cluster, int32_t node_id) {
  for (const auto& broker : cluster.brokers())
    if (broker.node_id == node_id) return broker.endpoint;
  FAIL("no broker ", node_id);
  return {};
}

TEST_CASE("a cluster tells its id and brokers, whichever bootstrap server is up") {
  Connected cluster(settings());
  CHECK_FALSE(cluster.cluster_id().empty());
  CHECK_EQ(cluster.brokers().size(), 2);
  auto some_down = settings();
  some_down.bootstrap_servers.insert(some_down.bootstrap_servers.begin(), LoopbackListener().endpoint());
  CHECK_EQ(Connected(some_down).cluster_id(), cluster.cluster_id());
}

TEST_CASE("no bootstrap server is up: all are named") {
  auto down = settings();
  down.bootstrap_servers = {LoopbackListener().endpoint(), LoopbackListener().endpoint()};
  down.retry.give_up_after = 100ms;
  auto error = failure_of([&] { Connected{down}; });
  CHECK_EQ(error.kind(), ErrorKind::unavailable);
  for (const auto& server : down.bootstrap_servers)
    CHECK(says(error, to_string(server) + ": Connection refused"));
}

TEST_CASE("a listener for controllers only is not for us, and that is said at once") {
  auto wrong = settings();
  wrong.bootstrap_servers.resize(1);
  ++wrong.bootstrap_servers[0].port;  // kafka.sh puts the controller's there
  auto error = failure_of([&] { Connected{wrong}; });
  CHECK_EQ(error.kind(), ErrorKind::invalid);
  CHECK(says(error, "Metadata at " + to_string(wrong.bootstrap_servers[0])));
  CHECK(says(error, "the broker does not offer this api"));
}

TEST_CASE("a topic that does not exist is an answer, and asking does not create it") {
  Connected cluster(settings());
  const std::string topics[] = {"no-such-topic"};
  auto metadata = cluster.metadata(soon(), topics);
  REQUIRE_EQ(metadata.topics.size(), 1);
  CHECK_EQ(metadata.topics[0].error_code, ErrorCode::unknown_topic_or_partition);
  CHECK_EQ(cluster.leader("no-such-topic", 0), -1);
  for (const auto& topic : cluster.metadata_of_all_topics(soon()).topics)
    CHECK_NE(topic.name, "no-such-topic");
}

TEST_CASE("fetches are pipelined and come back in order, with the records in the buffer of each") {
  Connected cluster(settings());
  auto topic = create_topic(cluster, 2);
  CHECK_GE(cluster.leader_epoch(topic, 0), 0);
  for (int64_t offset = 0; offset < 20; ++offset)
    CHECK_EQ(produce(cluster, topic, std::string(200'000, static_cast<char>('a' + offset))), offset);
  auto connection = cluster.open(soon(), cluster.leader(topic, 0));
  CHECK_EQ(connection.endpoint(), endpoint_of(cluster, 2));
  for (int64_t offset : {7, 0, 19, 3, 3}) connection.send(soon(), fetch_request(topic, offset));
  CHECK_EQ(connection.in_flight(), 5);
  std::vector<Reply<FetchResponse>> replies;
  for (int i = 0; i < 5; ++i) replies.push_back(connection.receive<FetchRequest>(soon()));
  std::vector<int64_t> offsets;
  for (const auto& reply : replies) offsets.push_back(first_offset(reply));
  CHECK_EQ(offsets, std::vector<int64_t>{7, 0, 19, 3, 3});
}

TEST_CASE("a coordinator is found, also while its topic is being created") {
  Connected cluster(settings());
  auto ask = [&](const std::string& group) {
    OffsetFetchRequest request{.group_id = group, .topics = {}};
    auto reply = cluster.call_coordinator(soon(), CoordinatorKind::group, group, request);
    CHECK_EQ(reply.message.error_code, ErrorCode::none);
  };
  for (int i = 0; i < 8; ++i) ask(fmt::format("group-{}", i));
  ask("group-0");
  InitProducerIdRequest request{.transactional_id = "broker-test", .transaction_timeout_ms = 1000};
  auto reply = cluster.call_coordinator(soon(), CoordinatorKind::transaction, "broker-test", request);
  CHECK_EQ(reply.message.error_code, ErrorCode::none);
  CHECK_GE(reply.message.producer_id, 0);
}

TEST_CASE("a broker that is not there is named") {
  auto impatient = settings();
  impatient.retry.give_up_after = 100ms;
  Connected cluster(impatient);
  auto error = failure_of([&] { cluster.call_broker(soon(), 99, MetadataRequest{}); });
  CHECK_EQ(error.kind(), ErrorKind::unavailable);
  CHECK(says(error, "broker 99"));
  CHECK_EQ(failure_of([&] { cluster.open(soon(), 99); }).kind(), ErrorKind::unavailable);
}

TEST_CASE("many threads share a cluster") {
  Connected cluster(settings());
  std::atomic<int> answered = 0;
  TaskGroup group(soon());
  for (int thread = 0; thread < 4; ++thread)
    group.spawn([&, thread](const Context& ctx) {
      for (int i = 0; i < 100; ++i, ++answered) {
        if (i % 3 == 0) cluster.metadata_of_all_topics(ctx);
        if (i % 3 == 1) cluster.call_broker(ctx, 1 + (i + thread) % 2, MetadataRequest{});
        if (i % 3 == 2) {
          auto name = fmt::format("group-{}", i);
          cluster.call_coordinator(ctx, CoordinatorKind::group, name,
                                   OffsetFetchRequest{.group_id = name, .topics = {}});
        }
      }
    });
  group.wait();
  CHECK_EQ(answered, 400);
}

TEST_CASE("killed and started again: the call that was under way ends well, open connections are lost") {
  Connected cluster(settings());
  auto topic = create_topic(cluster, 2);
  CHECK_EQ(produce(cluster, topic, "before"), 0);
  auto connection = cluster.open(soon(), 2);
  connection.call(soon(), MetadataRequest{});
  BrokerProcess broker(2);
  broker.kill();
  auto lost = failure_of([&] { connection.call(soon(), MetadataRequest{}); });
  CHECK_EQ(lost.kind(), ErrorKind::unavailable);
  CHECK(says(lost, "Metadata at " + to_string(endpoint_of(cluster, 2))));
  CHECK_FALSE(connection.usable());
  auto refused = failure_of([&] { cluster.open(soon(), 2); });
  CHECK(refused.retryable());

  // Broker 1 takes a while to drop the dead one from its metadata and to have it back; call_broker sits all
  // that out.
  auto call = std::async(std::launch::async, [&] { return end_offset(cluster, topic); });
  broker.start();
  CHECK_EQ(call.get(), 1);
  const std::string topics[] = {topic};
  for (auto ctx = soon(); cluster.leader(topic, 0) != 2; cluster.refresh(ctx, topics)) ctx.sleep_for(10ms);
  CHECK_EQ(produce(cluster, topic, "after"), 1);
}

TEST_CASE("a black hole ends in a bounded time and disturbs nobody else") {
  auto impatient = settings();
  impatient.connection.request_timeout = 2s;
  impatient.connection.connect_timeout = 1s;
  impatient.retry.give_up_after = 3s;
  Connected cluster(impatient);
  cluster.call_broker(soon(), 2, MetadataRequest{});  // has a connection, which will fall silent
  Connected patient(settings());
  auto untouched = patient.open(soon(), 1);
  auto silent = cluster.open(soon(), 2);
  BrokerProcess broker(2);
  broker.pause();

  auto start = Clock::now();
  auto given_up = std::async(std::launch::async, [&] {
    return failure_of([&] { cluster.call_broker(soon(), 2, MetadataRequest{}); });
  });
  auto timed_out = std::async(std::launch::async,
                              [&] { return failure_of([&] { silent.call(soon(), MetadataRequest{}); }); });
  int answers = 0;
  for (; given_up.wait_for(0s) != std::future_status::ready; ++answers) {
    untouched.call(soon(), MetadataRequest{});
    patient.call_broker(soon(), 1, MetadataRequest{});
    cluster.call_any(soon(), MetadataRequest{});
    Context{}.sleep_for(1ms);
  }
  CHECK_GT(answers, 0);
  auto error = given_up.get();
  CHECK(error.retryable());
  CHECK(says(error, "asking broker 2"));
  CHECK_EQ(timed_out.get().kind(), ErrorKind::timed_out);
  CHECK_LT(Clock::now() - start, 60s);  // by the settings at most 21 s; the rest is for a slow machine

  broker.resume();
  cluster.call_broker(soon(), 2, MetadataRequest{});
}

TEST_CASE("a stop ends the wait for a black hole at once") {
  Connected cluster(settings());
  cluster.call_broker(soon(), 2, MetadataRequest{});
  BrokerProcess broker(2);
  broker.pause();
  std::stop_source stop;
  auto call = std::async(std::launch::async, [&] {
    return failure_of([&] { cluster.call_broker(Context{stop.get_token()}, 2, MetadataRequest{}); });
  });
  auto waits_for_its_turn = std::async(std::launch::async, [&] {
    return failure_of([&] { cluster.call_broker(Context{stop.get_token()}, 2, MetadataRequest{}); });
  });
  stop.request_stop();
  CHECK_EQ(call.get().kind(), ErrorKind::cancelled);
  CHECK_EQ(waits_for_its_turn.get().kind(), ErrorKind::cancelled);
}

}  // namespace
}  // namespace kb::kafka
