// Connections and Cluster against a real broker behind tests/support/fault_proxy.py;
// tests/e2e/broker_connections.sh starts both and runs this.
//   KAFKA_PROXY_BOOTSTRAP  the address that the broker advertises: the proxy's
//   KAFKA_PROXY_TELL       the command, without its last argument, that tells the proxy a rule
#include <cstdlib>

#include "kafka_test_cluster.h"

#include <doctest/doctest.h>

namespace kb::kafka {
namespace {

using namespace std::chrono_literals;

ClusterSettings proxied_settings() {
  ClusterSettings settings{.bootstrap_servers = parse_endpoints(environment("KAFKA_PROXY_BOOTSTRAP"))};
  settings.retry.give_up_after = 120s;
  return settings;
}

// What the network does; nothing bad any more once this is gone.
struct Faults {
  Faults() { tell("clear"); }
  ~Faults() { tell("clear"); }
  Faults(const Faults&) = delete;
  void tell(const std::string& rule) {
    auto line = fmt::format("{} {} >/dev/null", environment("KAFKA_PROXY_TELL"), rule);
    CHECK_EQ(std::system(line.c_str()), 0);
  }
  // Every rule with a count has been used.
  void all_happened() { tell("wait-idle"); }
};

struct Proxied : Faults, Connected {
  Proxied() : Connected(proxied_settings()) {}
  std::string topic = create_topic(*this, 1);
};

TEST_CASE("an answer that is lost makes the call come twice: why produce needs an idempotent producer") {
  Proxied cluster;
  for (const char* how : {"reset", "close"}) {
    CAPTURE(how);
    auto before = end_offset(cluster, cluster.topic);
    cluster.tell(fmt::format("drop-response api=Produce then={}", how));
    CHECK_EQ(produce(cluster, cluster.topic, "twice"), before + 1);
    CHECK_EQ(end_offset(cluster, cluster.topic), before + 2);
    cluster.all_happened();
  }
}

TEST_CASE("a request that is cut on the way arrives once") {
  Proxied cluster;
  cluster.tell("reset side=request after=100 api=Produce");
  CHECK_EQ(produce(cluster, cluster.topic, std::string(100'000, 'x')), 0);
  CHECK_EQ(end_offset(cluster, cluster.topic), 1);
  cluster.all_happened();
}

TEST_CASE("an answer that is cut closes the connection; another one gives it whole") {
  Proxied cluster;
  produce(cluster, cluster.topic, std::string(500'000, 'x'));
  for (int after : {0, 1, 4, 8, 100, 400'000}) {
    CAPTURE(after);
    auto connection = cluster.open(soon(), 1);
    connection.send(soon(), fetch_request(cluster.topic, 0));
    CHECK_EQ(first_offset(connection.receive<FetchRequest>(soon())), 0);
    cluster.tell(fmt::format("reset api=Fetch after={} count=2", after));
    // Whoever touches the connection next sees the reset: a request behind the first one or the answer.
    auto error = failure_of([&] {
      for (int i = 0; i < 3; ++i) connection.send(soon(), fetch_request(cluster.topic, 0));
      connection.receive<FetchRequest>(soon());
    });
    CHECK_EQ(error.kind(), ErrorKind::unavailable);
    CHECK(says(error, "Fetch at " + to_string(connection.endpoint())));
    CHECK_FALSE(connection.usable());
    CHECK_EQ(connection.in_flight(), 0);
    CHECK_EQ(first_offset(cluster.call_broker(soon(), 1, fetch_request(cluster.topic, 0))), 0);
    cluster.all_happened();
  }
}

TEST_CASE("a broker that finishes sending is left") {
  Proxied cluster;
  cluster.tell("half-close api=Metadata count=2");
  auto connection = cluster.open(soon(), 1);
  connection.call(soon(), MetadataRequest{});
  auto error = failure_of([&] { connection.call(soon(), MetadataRequest{}); });
  CHECK_EQ(error.kind(), ErrorKind::unavailable);
  CHECK(says(error, "closed the connection"));
  for (int i = 0; i < 3; ++i) cluster.call_broker(soon(), 1, MetadataRequest{});
  cluster.all_happened();
}

TEST_CASE("an answer that does not come ends at the deadline of who waits") {
  Proxied cluster;
  auto connection = cluster.open(soon(), 1);
  cluster.tell("drop-response api=Metadata then=silence");
  auto error = failure_of([&] { connection.call(Context{}.with_timeout(100ms), MetadataRequest{}); });
  CHECK_EQ(error.kind(), ErrorKind::timed_out);
  CHECK(says(error, "no answer after "));
  CHECK_FALSE(connection.usable());
}

TEST_CASE("a handshake that is lost, cut or refused") {
  Proxied cluster;
  for (const char* rule :
       {"drop-response api=ApiVersions", "reset api=ApiVersions after=20", "refuse count=1"}) {
    CAPTURE(rule);
    cluster.tell(rule);
    auto error = failure_of([&] { cluster.open(soon(), 1); });
    CHECK_EQ(error.kind(), ErrorKind::unavailable);
    cluster.tell(rule);
    CHECK_NOTHROW(Connected{proxied_settings()});
    cluster.all_happened();
  }
}

TEST_CASE("a black hole in the network ends in a bounded time, and calls go on when it is over") {
  Proxied cluster;
  auto impatient = proxied_settings();
  impatient.connection.connect_timeout = impatient.connection.request_timeout = 2s;
  impatient.retry.give_up_after = 3s;
  Connected gives_up(impatient);
  cluster.tell("black-hole");
  auto error = failure_of([&] { gives_up.call_broker(soon(), 1, MetadataRequest{}); });
  CHECK_EQ(error.kind(), ErrorKind::timed_out);
  CHECK(says(error, "asking broker 1"));  // the cluster gave up, long before the deadline of soon()
  CHECK_EQ(failure_of([&] { gives_up.open(soon(), 1); }).kind(), ErrorKind::timed_out);
  cluster.tell("clear");
  cluster.call_broker(soon(), 1, MetadataRequest{});
}

TEST_CASE("seeded trouble on every connection: calls get through") {
  Proxied cluster;
  std::minstd_rand random(7);
  const char* faults[] = {"reset after={}", "reset side=request after={}", "drop-response then=close",
                          "half-close",     "drop-response then=reset",    "refuse count=1"};
  for (int i = 0; i < 60; ++i) {
    cluster.tell(fmt::format(fmt::runtime(faults[random() % std::size(faults)]), random() % 200));
    CHECK_EQ(end_offset(cluster, cluster.topic), 0);
  }
}

}  // namespace
}  // namespace kb::kafka
