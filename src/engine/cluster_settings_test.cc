#include "engine/cluster_settings.h"

#include <doctest/doctest.h>

namespace kb::engine {
namespace {

TEST_CASE("spec.kafkaCluster says which brokers are asked first and how connections are") {
  api::KafkaCluster cluster{.bootstrap_servers = {"one:9092", "[::1]:9093"}};
  auto settings = cluster_settings(cluster);
  REQUIRE(settings.bootstrap_servers.size() == 2);
  CHECK(settings.bootstrap_servers[1].host == "::1");
  CHECK(settings.bootstrap_servers[1].port == 9093);
  CHECK(settings.connections_per_broker == 4);
  CHECK(settings.connection.socket.tcp_keepalive);
  CHECK(settings.connection.socket.tcp_nodelay);
  cluster.connection = api::Connection{.tcp_keepalive = false,
                                       .keepalive_time_secs = 7,
                                       .keepalive_interval_secs = 3,
                                       .tcp_nodelay = false,
                                       .connections_per_broker = 9};
  settings = cluster_settings(cluster);
  CHECK(!settings.connection.socket.tcp_keepalive);
  CHECK(settings.connection.socket.keepalive_time == std::chrono::seconds(7));
  CHECK(settings.connection.socket.keepalive_interval == std::chrono::seconds(3));
  CHECK(!settings.connection.socket.tcp_nodelay);
  CHECK(settings.connections_per_broker == 9);
}

}  // namespace
}  // namespace kb::engine
