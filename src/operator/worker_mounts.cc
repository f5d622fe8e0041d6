#include "operator/worker_mounts.h"

#include <algorithm>

namespace kb::op {
namespace {

void add(std::vector<std::string>& names, const auto& secret) {
  if (secret && std::ranges::find(names, secret->name) == names.end()) names.push_back(secret->name);
}

}  // namespace

std::vector<std::string> claims_of(const api::Storage& storage) {
  if (storage.storage_type != api::StorageType::pvc || !storage.pvc) return {};
  return {storage.pvc->claim_name};
}

std::optional<api::PvcStorage> claim_to_make(const api::Storage& storage) {
  const bool asked = storage.storage_type == api::StorageType::pvc && storage.pvc && storage.pvc->create &&
                     storage.pvc->create->enabled;
  return asked ? storage.pvc : std::nullopt;
}

std::vector<std::string> secrets_of(const api::KafkaCluster& cluster, const api::Storage& storage) {
  std::vector<std::string> names;
  add(names, cluster.tls_secret);
  add(names, cluster.ca_secret);
  add(names, cluster.sasl_secret);
  if (storage.storage_type == api::StorageType::s3 && storage.s3) add(names, storage.s3->credentials_secret);
  if (storage.storage_type == api::StorageType::gcs && storage.gcs)
    add(names, storage.gcs->credentials_secret);
  if (storage.storage_type == api::StorageType::azure && storage.azure) {
    add(names, storage.azure->credentials_secret);
    add(names, storage.azure->sas_token_secret);
    add(names, storage.azure->service_principal_secret);
  }
  return names;
}

}  // namespace kb::op
