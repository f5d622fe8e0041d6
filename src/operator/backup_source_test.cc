#include "operator/backup_source.h"

#include "operator/labels.h"
#include "operator/sample_views.h"

#include <doctest/doctest.h>

namespace kb::op {
namespace {

struct Place {
  ResourceView restore = sample::resource("KafkaRestore", "{}");
  std::map<kube::ObjectKey, KnownBackup> backups;

  KnownBackup& add(std::string resource_namespace, api::StorageType type = api::StorageType::s3) {
    KnownBackup backup{.resource = sample::resource("KafkaBackup", "{}"),
                       .storage = api::Storage{.storage_type = type},
                       .backup_id = "nightly-20250601-000000"};
    backup.resource.key = {resource_namespace, "nightly"};
    return backups[backup.resource.key] = backup;
  }
  std::variant<BackupSource, NoSource> find(const api::BackupRef& reference) const {
    return find_source(restore, reference, [this](const kube::ObjectKey& key) -> std::optional<KnownBackup> {
      auto it = backups.find(key);
      return it == backups.end() ? std::nullopt : std::optional(it->second);
    });
  }
  std::string reason(const api::BackupRef& reference) const {
    const auto found = find(reference);
    const auto* none = std::get_if<NoSource>(&found);
    return none ? none->reason : "found";
  }
};

const api::BackupRef elsewhere{.name = "nightly", .namespace_name = "payments"};

TEST_CASE("a KafkaBackup of the own namespace, with the newest backup or the one that is named") {
  Place place;
  place.add("kafka");
  auto source = std::get<BackupSource>(place.find({.name = "nightly"}));
  CHECK(source.backup_id == "nightly-20250601-000000");
  CHECK(source.backup_namespace == "kafka");
  source = std::get<BackupSource>(place.find({.name = "nightly", .backup_id = "nightly-20250101-000000"}));
  CHECK(source.backup_id == "nightly-20250101-000000");
}

TEST_CASE("what may come is waited for") {
  Place place;
  CHECK(place.reason({.name = "nightly"}) == "BackupNotFound");
  CHECK(std::get<NoSource>(place.find({.name = "nightly"})).may_come);
  auto& backup = place.add("kafka");
  backup.backup_id.clear();
  CHECK(place.reason({.name = "nightly"}) == "NoBackupYet");
  backup.storage.reset();
  CHECK(place.reason({.name = "nightly"}) == "BackupInvalid");
}

TEST_CASE("another namespace needs a grant, and without one nothing is learnt") {
  Place place;
  const auto without = std::get<NoSource>(place.find(elsewhere));
  auto& backup = place.add("payments");
  auto grant = [&](std::string list) {
    backup.resource.annotations[std::string(grant_annotation)] = std::move(list);
  };
  for (auto* list : {"", ",", "other", "kafka2", "kafk", "KAFKA", "kafka-*", "other kafka", "kafka;other"}) {
    CAPTURE(list);
    grant(list);
    const auto refused = std::get<NoSource>(place.find(elsewhere));
    CHECK(refused.reason == without.reason);
    CHECK(refused.message == without.message);
    CHECK(refused.may_come == without.may_come);
  }
  for (auto* list : {"kafka", "*", " kafka ", "a, kafka", "a,,*\t"}) {
    CAPTURE(list);
    grant(list);
    CHECK(place.reason(elsewhere) == "found");
  }
  // Neither what its spec is like nor whether it has a backup.
  grant("other");
  backup.storage.reset();
  backup.backup_id.clear();
  CHECK(std::get<NoSource>(place.find(elsewhere)).message == without.message);
}

TEST_CASE("a claim of another namespace cannot be mounted") {
  Place place;
  place.add("payments", api::StorageType::pvc).resource.annotations[std::string(grant_annotation)] = "kafka";
  CHECK(place.reason(elsewhere) == "NotPossible");
  place.add("kafka", api::StorageType::pvc);
  CHECK(place.reason({.name = "nightly"}) == "found");
}

TEST_CASE("storage of its own is used as it stands, without asking for the KafkaBackup") {
  Place place;
  auto reference = elsewhere;
  reference.storage = api::Storage{.storage_type = api::StorageType::gcs};
  const auto source = std::get<BackupSource>(place.find(reference));
  CHECK(source.storage.storage_type == api::StorageType::gcs);
  CHECK(source.backup_id.empty());
  CHECK(source.backup_namespace == "payments");
}

}  // namespace
}  // namespace kb::op
