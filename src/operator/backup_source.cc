#include "operator/backup_source.h"

#include <fmt/format.h>

#include "operator/labels.h"

namespace kb::op {
namespace {

// Whether a list such as "team-a, team-b" or "*" names the namespace.
bool grants(std::string_view list, std::string_view resource_namespace) {
  while (!list.empty()) {
    auto comma = list.find(',');
    auto item = list.substr(0, comma);
    list = comma == std::string_view::npos ? "" : list.substr(comma + 1);
    auto begin = item.find_first_not_of(" \t"), end = item.find_last_not_of(" \t");
    if (begin == std::string_view::npos) continue;
    item = item.substr(begin, end - begin + 1);
    if (item == "*" || item == resource_namespace) return true;
  }
  return false;
}

NoSource no_grant(const ResourceView& restore, const kube::ObjectKey& backup) {
  return {
      .reason = "NotAllowed",
      .message = fmt::format("spec.backupRef.namespace: there is no KafkaBackup {} that allows restores from "
                             "namespace {}; whoever owns it can annotate it with {}: {}",
                             backup.to_string(), restore.key.resource_namespace, grant_annotation,
                             restore.key.resource_namespace),
      .may_come = true};
}

std::variant<BackupSource, NoSource> source_of(const KnownBackup& backup, const std::string& backup_id,
                                               bool is_own_namespace) {
  const auto& key = backup.resource.key;
  if (!backup.storage)
    return NoSource{.reason = "BackupInvalid",
                    .message = fmt::format("spec.backupRef.name: the spec of KafkaBackup {} cannot be read",
                                           key.to_string()),
                    .may_come = true};
  if (!is_own_namespace && backup.storage->storage_type == api::StorageType::pvc)
    return NoSource{
        .reason = "NotPossible",
        .message = fmt::format("spec.backupRef.namespace: KafkaBackup {} is on a claim of its namespace, "
                               "which pods of another one cannot mount; give spec.backupRef.storage with "
                               "a claim of this namespace that has the same data",
                               key.to_string())};
  auto id = backup_id.empty() ? backup.backup_id : backup_id;
  if (id.empty())
    return NoSource{.reason = "NoBackupYet",
                    .message = fmt::format("KafkaBackup {} has no complete backup yet", key.to_string()),
                    .may_come = true};
  return BackupSource{.backup_namespace = key.resource_namespace,
                      .backup_name = key.name,
                      .storage = *backup.storage,
                      .backup_id = std::move(id)};
}

}  // namespace

std::variant<BackupSource, NoSource> find_source(const ResourceView& restore, const api::BackupRef& reference,
                                                 const FindBackup& find_backup) {
  const kube::ObjectKey key{reference.namespace_name.value_or(restore.key.resource_namespace),
                            reference.name.value_or("")};
  const auto backup_id = reference.backup_id.value_or("");
  if (reference.storage)
    return BackupSource{.backup_namespace = key.resource_namespace,
                        .backup_name = key.name,
                        .storage = *reference.storage,
                        .backup_id = backup_id};
  const bool is_own_namespace = key.resource_namespace == restore.key.resource_namespace;
  const auto backup = find_backup(key);
  if (!is_own_namespace &&
      (!backup || !grants(backup->resource.annotation(grant_annotation), restore.key.resource_namespace)))
    return no_grant(restore, key);
  if (!backup)
    return NoSource{
        .reason = "BackupNotFound",
        .message = fmt::format("spec.backupRef.name: there is no KafkaBackup {}; when it is gone, "
                               "spec.backupRef.storage says where its archive is",
                               key.to_string()),
        .may_come = true};
  return source_of(*backup, backup_id, is_own_namespace);
}

}  // namespace kb::op
