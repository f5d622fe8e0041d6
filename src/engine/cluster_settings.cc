#include "engine/cluster_settings.h"

namespace kb::engine {

kafka::ClusterSettings cluster_settings(const api::KafkaCluster& cluster) {
  kafka::ClusterSettings settings;
  for (const auto& server : cluster.bootstrap_servers)
    settings.bootstrap_servers.push_back(parse_endpoint(server));
  const auto connection = cluster.connection.value_or(api::Connection{});
  settings.connections_per_broker = static_cast<int>(connection.connections_per_broker);
  auto& socket = settings.connection.socket;
  socket.tcp_keepalive = connection.tcp_keepalive;
  socket.keepalive_time = std::chrono::seconds(connection.keepalive_time_secs);
  socket.keepalive_interval = std::chrono::seconds(connection.keepalive_interval_secs);
  socket.tcp_nodelay = connection.tcp_nodelay;
  return settings;
}

}  // namespace kb::engine
