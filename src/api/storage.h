// Where an archive lives; shared by all kinds. Source: the CRDs of kafka.oso.sh/v1alpha1. Additive:
// credentials of S3 and GCS are optional (the pod's own identity).
#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/field.h"
#include "schema/problems.h"

namespace kb::api {

enum class StorageType { pvc, s3, azure, gcs };
constexpr auto enum_names(StorageType) {
  return std::array<std::string_view, 4>{"pvc", "s3", "azure", "gcs"};
}

struct PvcCreate {
  bool enabled = false;
  std::optional<std::string> storage_class_name;
  std::string size = "100Gi";
  std::vector<std::string> access_modes = {"ReadWriteOnce"};

  void fields(auto& f) {
    f("enabled", enabled, "Create the claim when it does not exist.");
    f("storageClassName", storage_class_name, "Storage class; the cluster's default when absent.");
    f("size", size, "Size of the volume.");
    f("accessModes", access_modes, "Access modes of the claim.");
  }
};

struct PvcStorage {
  std::string claim_name;
  std::optional<std::string> sub_path;
  std::optional<PvcCreate> create;

  void fields(auto& f) {
    f.required("claimName", claim_name,
               "PersistentVolumeClaim; for `kafka-backup run` a folder of `--volumes`.");
    f("subPath", sub_path, "Folder inside the volume.");
    f("create", create, "Make the claim when it is missing.");
  }
  void check(schema::Check& check) const;
};

struct S3Credentials {
  std::string name;
  std::string access_key_id_key = "AWS_ACCESS_KEY_ID";
  std::string secret_access_key_key = "AWS_SECRET_ACCESS_KEY";

  void fields(auto& f) {
    f.required("name", name, "Secret with an access key.");
    f("accessKeyIdKey", access_key_id_key, "Key of the access key's id.");
    f("secretAccessKeyKey", secret_access_key_key, "Key of the secret access key.");
  }
  void check(schema::Check& check) const;
};

struct S3Storage {
  std::string bucket;
  std::string region;
  std::optional<std::string> endpoint;
  std::optional<bool> path_style;
  std::optional<bool> allow_http;
  std::optional<std::string> prefix;
  std::optional<S3Credentials> credentials_secret;

  void fields(auto& f) {
    f.required("bucket", bucket, "Bucket.", {.non_empty = true});
    f.required("region", region, "Region of the bucket.", {.non_empty = true});
    f("endpoint", endpoint, "URL of an S3-compatible service; AWS when absent.");
    f("pathStyle", path_style, "Put the bucket into the path instead of the host name.");
    f("allowHttp", allow_http, "Allow an endpoint without TLS.");
    f("prefix", prefix, "Prefix of every object.");
    f("credentialsSecret", credentials_secret, "Access key; the pod's own identity when absent.");
  }
  void check(schema::Check& check) const;
};

struct AzureAccountKey {
  std::string name;
  std::string account_key_key = "AZURE_STORAGE_KEY";

  void fields(auto& f) {
    f.required("name", name, "Secret with the storage account's key.");
    f("accountKeyKey", account_key_key, "Key in that secret.");
  }
  void check(schema::Check& check) const;
};

struct AzureSasToken {
  std::string name;
  std::string sas_token_key = "AZURE_SAS_TOKEN";

  void fields(auto& f) {
    f.required("name", name, "Secret with a shared access signature.");
    f("sasTokenKey", sas_token_key, "Key in that secret.");
  }
  void check(schema::Check& check) const;
};

struct AzureServicePrincipal {
  std::string name;
  std::string client_id_key = "AZURE_CLIENT_ID";
  std::string tenant_id_key = "AZURE_TENANT_ID";
  std::string client_secret_key = "AZURE_CLIENT_SECRET";

  void fields(auto& f) {
    f.required("name", name, "Secret with a service principal.");
    f("clientIdKey", client_id_key, "Key of the application's id.");
    f("tenantIdKey", tenant_id_key, "Key of the tenant's id.");
    f("clientSecretKey", client_secret_key, "Key of the application's secret.");
  }
  void check(schema::Check& check) const;
};

struct AzureStorage {
  std::string container;
  std::string account_name;
  std::optional<std::string> prefix;
  std::optional<std::string> endpoint;
  bool use_workload_identity = false;
  std::optional<AzureAccountKey> credentials_secret;
  std::optional<AzureSasToken> sas_token_secret;
  std::optional<AzureServicePrincipal> service_principal_secret;

  static constexpr std::array rules{
      schema::Rule{
          "(self.useWorkloadIdentity ? 1 : 0) + (has(self.credentialsSecret) ? 1 : 0) + "
          "(has(self.sasTokenSecret) ? 1 : 0) + (has(self.servicePrincipalSecret) ? 1 : 0) <= 1",
          "useWorkloadIdentity, credentialsSecret, sasTokenSecret and servicePrincipalSecret exclude each "
          "other; keep one way to log in"},
  };

  void fields(auto& f) {
    f.required("container", container, "Blob container.", {.non_empty = true});
    f.required("accountName", account_name, "Storage account.", {.non_empty = true});
    f("prefix", prefix, "Prefix of every blob.");
    f("endpoint", endpoint, "URL of another cloud or an emulator.");
    f("useWorkloadIdentity", use_workload_identity, "Log in as the pod's service account.");
    f("credentialsSecret", credentials_secret, "Log in with the account's key.");
    f("sasTokenSecret", sas_token_secret, "Log in with a shared access signature.");
    f("servicePrincipalSecret", service_principal_secret, "Log in as an application.");
  }
  void check(schema::Check& check) const;
};

struct GcsCredentials {
  std::string name;
  std::string service_account_json_key = "SERVICE_ACCOUNT_JSON";

  void fields(auto& f) {
    f.required("name", name, "Secret with a service account's key file.");
    f("serviceAccountJsonKey", service_account_json_key, "Key in that secret.");
  }
  void check(schema::Check& check) const;
};

struct GcsStorage {
  std::string bucket;
  std::optional<std::string> prefix;
  std::optional<GcsCredentials> credentials_secret;

  void fields(auto& f) {
    f.required("bucket", bucket, "Bucket.", {.non_empty = true});
    f("prefix", prefix, "Prefix of every object.");
    f("credentialsSecret", credentials_secret, "Service account; the pod's own identity when absent.");
  }
  void check(schema::Check& check) const;
};

// A volume for side data of a run.
struct VolumeRef {
  std::string pvc_name;
  std::optional<std::string> sub_path;

  void fields(auto& f) {
    f.required("pvcName", pvc_name, "PersistentVolumeClaim.");
    f("subPath", sub_path, "Folder inside the volume.");
  }
  void check(schema::Check& check) const;
};

// The block named by storage_type is present after a read without problems; others may be too and are not
// used.
struct Storage {
  StorageType storage_type = StorageType::pvc;
  std::optional<PvcStorage> pvc;
  std::optional<S3Storage> s3;
  std::optional<AzureStorage> azure;
  std::optional<GcsStorage> gcs;

  static constexpr std::array rules{
      schema::Rule{"self.storageType != 'pvc' || has(self.pvc)", "storageType pvc needs the block pvc"},
      schema::Rule{"self.storageType != 's3' || has(self.s3)", "storageType s3 needs the block s3"},
      schema::Rule{"self.storageType != 'azure' || has(self.azure)",
                   "storageType azure needs the block azure"},
      schema::Rule{"self.storageType != 'gcs' || has(self.gcs)", "storageType gcs needs the block gcs"},
      schema::Rule{"self.storageType in ['pvc', 's3', 'azure', 'gcs']",
                   "storageType must be one of pvc, s3, azure, gcs"},
  };

  void fields(auto& f) {
    f("storageType", storage_type, "Which of the blocks below is used.");
    f("pvc", pvc, "A volume.");
    f("s3", s3, "Amazon S3 or a service that speaks its protocol.");
    f("azure", azure, "Azure Blob Storage.");
    f("gcs", gcs, "Google Cloud Storage.");
  }
  void check(schema::Check& check) const;
};

}  // namespace kb::api
