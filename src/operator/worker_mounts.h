// What a worker's pod mounts of its namespace: the claims and secrets that the resource names. Pure.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "api/kafka_cluster.h"
#include "api/storage.h"

namespace kb::op {

// Each once, in the order they are named.
std::vector<std::string> claims_of(const api::Storage& storage);
std::vector<std::string> secrets_of(const api::KafkaCluster& cluster, const api::Storage& storage);

// The claim that is to be made when it is missing; none unless the resource asks for that.
std::optional<api::PvcStorage> claim_to_make(const api::Storage& storage);

}  // namespace kb::op
