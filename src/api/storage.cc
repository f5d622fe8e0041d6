#include "api/storage.h"

#include <algorithm>

#include "api/name_checks.h"
#include "api/names.h"

namespace kb::api {
namespace {

void check_prefix(schema::Check& check, const std::optional<std::string>& prefix) {
  if (!prefix) return;
  std::string_view below = *prefix;
  below.remove_prefix(std::min(below.find_first_not_of('/'), below.size()));
  if (!is_confined_path(below))
    check.problem("prefix",
                  "must be a path without '..' and control characters, at most 1024 bytes, not '{}'",
                  *prefix);
}

void check_sub_path(schema::Check& check, const std::optional<std::string>& sub_path) {
  if (sub_path && !is_confined_path(*sub_path))
    check.problem("subPath",
                  "must be a relative path without '..' and control characters, at most 1024 bytes, not '{}'",
                  *sub_path);
}

void check_endpoint(schema::Check& check, const std::optional<std::string>& endpoint) {
  if (endpoint && !endpoint->starts_with("https://") && !endpoint->starts_with("http://"))
    check.problem("endpoint", "must be a URL that starts with https:// or http://, not '{}'", *endpoint);
}

}  // namespace

void PvcStorage::check(schema::Check& check) const {
  check_object_name(check, "claimName", claim_name);
  check_sub_path(check, sub_path);
}

void VolumeRef::check(schema::Check& check) const {
  check_object_name(check, "pvcName", pvc_name);
  check_sub_path(check, sub_path);
}

void S3Credentials::check(schema::Check& check) const {
  check_object_name(check, "name", name);
  check_secret_key(check, "accessKeyIdKey", access_key_id_key);
  check_secret_key(check, "secretAccessKeyKey", secret_access_key_key);
}

void S3Storage::check(schema::Check& check) const {
  check_prefix(check, prefix);
  check_endpoint(check, endpoint);
}

void AzureAccountKey::check(schema::Check& check) const {
  check_object_name(check, "name", name);
  check_secret_key(check, "accountKeyKey", account_key_key);
}

void AzureSasToken::check(schema::Check& check) const {
  check_object_name(check, "name", name);
  check_secret_key(check, "sasTokenKey", sas_token_key);
}

void AzureServicePrincipal::check(schema::Check& check) const {
  check_object_name(check, "name", name);
  check_secret_key(check, "clientIdKey", client_id_key);
  check_secret_key(check, "tenantIdKey", tenant_id_key);
  check_secret_key(check, "clientSecretKey", client_secret_key);
}

void AzureStorage::check(schema::Check& check) const {
  check_prefix(check, prefix);
  check_endpoint(check, endpoint);
  std::vector<std::string_view> ways;
  if (use_workload_identity) ways.emplace_back("useWorkloadIdentity");
  if (credentials_secret) ways.emplace_back("credentialsSecret");
  if (sas_token_secret) ways.emplace_back("sasTokenSecret");
  if (service_principal_secret) ways.emplace_back("servicePrincipalSecret");
  if (ways.size() > 1)
    check.problem(ways[1], "cannot be used together with {}; keep one way to log in", ways[0]);
}

void GcsCredentials::check(schema::Check& check) const {
  check_object_name(check, "name", name);
  check_secret_key(check, "serviceAccountJsonKey", service_account_json_key);
}

void GcsStorage::check(schema::Check& check) const {
  check_prefix(check, prefix);
}

void Storage::check(schema::Check& check) const {
  const std::array<bool, 4> present = {pvc.has_value(), s3.has_value(), azure.has_value(), gcs.has_value()};
  if (present[static_cast<std::size_t>(storage_type)]) return;
  std::string_view wanted = schema::name_of(storage_type);
  auto other = std::find(present.begin(), present.end(), true);
  if (other == present.end()) return check.problem(wanted, "is required by storageType {}", wanted);
  std::string_view given = schema::name_of(static_cast<StorageType>(other - present.begin()));
  check.problem(wanted, "is required by storageType {}; for the {} block write storageType: {}", wanted,
                given, given);
}

}  // namespace kb::api
