// From the resource's cluster block to the client's settings.
#pragma once
#include "api/kafka_cluster.h"
#include "kafka/cluster.h"

namespace kb::engine {

kafka::ClusterSettings cluster_settings(const api::KafkaCluster& cluster);

}  // namespace kb::engine
