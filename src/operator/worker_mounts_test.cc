#include "operator/worker_mounts.h"

#include <boost/json/parse.hpp>

#include "schema/schema.h"

#include <doctest/doctest.h>

namespace kb::op {
namespace {

using Names = std::vector<std::string>;

api::Storage storage(std::string_view text) {
  return schema::read<api::Storage>(boost::json::parse(text), "storage");
}

TEST_CASE("only the block that storageType names is mounted") {
  const auto both = storage(
      R"({"storageType":"s3","pvc":{"claimName":"c"},
          "s3":{"bucket":"b","region":"r","credentialsSecret":{"name":"s3-keys"}},
          "gcs":{"bucket":"b","credentialsSecret":{"name":"gcs-keys"}}})");
  CHECK(claims_of(both).empty());
  CHECK(secrets_of({}, both) == Names{"s3-keys"});
  const auto volume = storage(R"({"storageType":"pvc","pvc":{"claimName":"c"}})");
  CHECK(claims_of(volume) == Names{"c"});
  CHECK(secrets_of({}, volume).empty());
}

TEST_CASE("a secret that is named several times is mounted once") {
  api::KafkaCluster cluster;
  cluster.tls_secret.emplace().name = "kafka";
  cluster.ca_secret.emplace().name = "ca";
  cluster.sasl_secret.emplace().name = "kafka";
  const auto gcs = storage(R"({"storageType":"gcs","gcs":{"bucket":"b","credentialsSecret":{"name":"ca"}}})");
  CHECK(secrets_of(cluster, gcs) == Names{"kafka", "ca"});
}

}  // namespace
}  // namespace kb::op
