#include "api/not_yet.h"

#include <span>

namespace kb::api {
namespace {

template <class Spec>
struct Row {
  std::string_view what;  // path and, where it matters, value
  bool (*asked_for)(const Spec&);
  std::string_view instead = {};  // what to do meanwhile
};

using Backup = KafkaBackupSpec;
using Restore = KafkaRestoreSpec;

bool no_pvc(const Storage& storage) {
  return storage.storage_type != StorageType::pvc;
}
bool creates_pvc(const Storage& storage) {
  return storage.storage_type == StorageType::pvc && storage.pvc && storage.pvc->create &&
         storage.pvc->create->enabled;
}

bool of_jobs(const JobSettings& settings) {
  return settings.workers > 1 || settings.backoff_limit || settings.active_deadline_seconds ||
         settings.pod_template;
}

constexpr std::string_view for_jobs =
    "spec.workers, spec.backoffLimit, spec.activeDeadlineSeconds and spec.podTemplate are for Kubernetes: "
    "this is one "
    "process";
constexpr std::string_view only_pvc = "use storageType: pvc";

constexpr Row<Backup> backup_rows[] = {
    {"spec.storage.storageType other than pvc", [](const Backup& s) { return no_pvc(s.storage); }, only_pvc},
    {"spec.includeOffsetHeaders: true", [](const Backup& s) { return s.include_offset_headers == true; },
     "leave it out: the archive keeps every record's offset"},
};

constexpr Row<Restore> restore_rows[] = {
    {"spec.backupRef.storage.storageType other than pvc",
     [](const Restore& s) { return s.backup_ref.storage && no_pvc(*s.backup_ref.storage); }, only_pvc},
    {"spec.backupRef.storage.pvc.create.enabled: true",
     [](const Restore& s) { return s.backup_ref.storage && creates_pvc(*s.backup_ref.storage); },
     "a claim that is made anew holds no backup"},
    {"spec.pitr", [](const Restore& s) { return s.pitr.has_value(); }},
    {"spec.partitionMapping", [](const Restore& s) { return !s.partition_mapping.empty(); }},
    {"spec.repartitioning", [](const Restore& s) { return !s.repartitioning.empty(); }},
    {"spec.offsetReset.enabled: true",
     [](const Restore& s) { return s.offset_reset && s.offset_reset->enabled; }},
    {"spec.rollback.snapshotBeforeRestore: true",
     [](const Restore& s) { return s.rollback && s.rollback->snapshot_before_restore; },
     "set it to false or leave spec.rollback out"},
    {"spec.rollback.autoRollbackOnFailure: true",
     [](const Restore& s) { return s.rollback && s.rollback->auto_rollback_on_failure; }},
    {"spec.rollback.snapshotStorage",
     [](const Restore& s) { return s.rollback && s.rollback->snapshot_storage; }},
    {"spec.purgeTopics: true", [](const Restore& s) { return s.purge_topics; }, "delete the topics yourself"},
    {"spec.autoConsumerGroups: true", [](const Restore& s) { return s.auto_consumer_groups; }},
    {"spec.includeOriginalOffsetHeader: true",
     [](const Restore& s) { return s.include_original_offset_header == true; }, "leave it out"},
    {"spec.stripOffsetHeaders: true", [](const Restore& s) { return s.strip_offset_headers; }},
    {"spec.produceAcks other than -1", [](const Restore& s) { return s.produce_acks != -1; }},
};

constexpr Row<Backup> backup_notes[] = {
    {"spec.schedule is not followed: this is one run, now",
     [](const Backup& s) { return s.schedule.has_value(); }},
    {for_jobs, [](const Backup& s) { return of_jobs(s); }},
    {"spec.checkpoint.storage is not needed: checkpoints are kept with the archive",
     [](const Backup& s) { return s.checkpoint && s.checkpoint->storage; }},
};

constexpr Row<Restore> restore_notes[] = {
    {for_jobs, [](const Restore& s) { return of_jobs(s); }},
    {"spec.headerPreflight changes nothing: no archive of this version keeps offsets in headers",
     [](const Restore& s) { return s.header_preflight != HeaderPreflight::automatic; }},
};

template <class Spec>
void collect(const Spec& spec, std::span<const Row<Spec>> rows, std::vector<std::string>& refused) {
  for (const Row<Spec>& row : rows) {
    if (!row.asked_for(spec)) continue;
    std::string line = fmt::format("{} is not supported by this version yet", row.what);
    if (!row.instead.empty()) line += fmt::format("; {}", row.instead);
    refused.push_back(std::move(line));
  }
}

template <class Spec>
EngineSupport support_of(const Spec& spec, std::span<const Row<Spec>> rows,
                         std::span<const Row<Spec>> notes) {
  EngineSupport out;
  collect<Spec>(spec, rows, out.refused);
  for (const auto& row : notes)
    if (row.asked_for(spec)) out.notes.emplace_back(row.what);
  return out;
}

EngineSupport support_of(const KafkaBackupSpec& spec) {
  return support_of<Backup>(spec, backup_rows, backup_notes);
}

EngineSupport support_of(const KafkaRestoreSpec& spec) {
  return support_of<Restore>(spec, restore_rows, restore_notes);
}

}  // namespace

std::vector<std::string> not_yet_of_kind(std::string_view kind) {
  std::vector<std::string> out;
  auto list = [&](const auto& rows) {
    for (const auto& row : rows)
      out.push_back(fmt::format("`{}`{}{}", row.what, row.instead.empty() ? "" : ": ", row.instead));
  };
  if (kind != "KafkaBackup" && kind != "KafkaRestore")
    out.push_back(fmt::format("`kind: {}` as a whole", kind));
  if (kind == "KafkaBackup") list(backup_rows);
  if (kind == "KafkaRestore") list(restore_rows);
  return out;
}

EngineSupport engine_support(const Resource& resource) {
  return std::visit([](const auto& spec) { return support_of(spec); }, resource.spec);
}

void refuse_unsupported(const Resource& resource) {
  EngineSupport support = engine_support(resource);
  if (support.refused.empty()) return;
  if (support.refused.size() == 1)
    fail(ErrorKind::invalid, "{}: {}", resource.to_string(), support.refused.front());
  fail(ErrorKind::invalid, "{}: {} problems:\n  {}", resource.to_string(), support.refused.size(),
       fmt::join(support.refused, "\n  "));
}

}  // namespace kb::api
