// Which archive a KafkaRestore reads, and whether it may. Pure.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <variant>

#include "api/kafka_backup.h"
#include "api/kafka_restore.h"
#include "operator/resource_view.h"

namespace kb::op {

// A KafkaBackup as far as a restore is concerned.
struct KnownBackup {
  ResourceView resource;
  std::optional<api::Storage> storage;  // none when its spec cannot be read
  std::string backup_id;                // newest complete one; empty for none
};
using FindBackup = std::function<std::optional<KnownBackup>(const kube::ObjectKey&)>;

struct BackupSource {
  std::string backup_namespace,
      backup_name;  // of the KafkaBackup that owns the archive; name empty: the only one there
  api::Storage storage;
  std::string backup_id;  // empty: the newest, as the worker finds it
};

// Why a restore cannot begin. `reason` is that of its condition; with `may_come` it is looked at again.
struct NoSource {
  std::string reason, message;
  bool may_come = false;
};

// A KafkaBackup of another namespace is used only when its annotation
// kafka.oso.sh/allow-restore-from-namespaces names the restore's (or is "*"), and without that nothing is
// said about it, not even whether it exists. Secrets and claims are always those of the restore's own
// namespace.
std::variant<BackupSource, NoSource> find_source(const ResourceView& restore, const api::BackupRef& reference,
                                                 const FindBackup& find_backup);

}  // namespace kb::op
