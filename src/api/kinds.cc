#include "api/kinds.h"

#include <array>

#include "api/kafka_backup.h"
#include "api/kafka_backup_status.h"
#include "api/kafka_backup_validation.h"
#include "api/kafka_offset_reset.h"
#include "api/kafka_offset_rollback.h"
#include "api/kafka_restore.h"
#include "api/kafka_restore_status.h"
#include "api/offset_status.h"
#include "schema/openapi.h"

namespace kb::api {
namespace {

constexpr PrinterColumn age{"Age", "date", ".metadata.creationTimestamp", "When the resource was created."};
constexpr PrinterColumn phase{"Phase", "string", ".status.phase", "A summary in one word."};
constexpr PrinterColumn message{"Message", "string", ".status.message", "A summary in one sentence.", 1};

constexpr std::array backup_columns{
    phase,
    PrinterColumn{"Schedule", "string", ".spec.schedule", "Cron schedule; none: one run."},
    PrinterColumn{"Last Backup", "string", ".status.lastBackupTime", "End of the last successful run."},
    PrinterColumn{"Next", "string", ".status.nextScheduledBackup", "The next tick of the schedule."},
    PrinterColumn{"Progress", "integer", ".status.progress.percent", "Percent of the run in progress."},
    PrinterColumn{"Records", "integer", ".status.recordsProcessed", "Records that the last run stored."},
    PrinterColumn{"Resumable", "boolean", ".status.resumable", "Whether an interrupted run can go on.", 1},
    age,
    message,
};
constexpr std::array restore_columns{
    phase,
    PrinterColumn{"Backup", "string", ".status.backupId", "The backup that is restored."},
    PrinterColumn{"Progress", "string", ".status.progressPercent", "Percent that is done."},
    PrinterColumn{"Records", "integer", ".status.recordsRestored", "Records that were written."},
    age,
    message,
};
constexpr std::array reset_columns{
    phase,
    PrinterColumn{"Groups", "integer", ".status.groupsReset", "Groups that were reset."},
    PrinterColumn{"Failed", "integer", ".status.groupsFailed", "Groups that were not."},
    age,
    message,
};
constexpr std::array rollback_columns{
    phase,
    PrinterColumn{"Groups", "integer", ".status.groupsRolledBack", "Groups that were rolled back."},
    age,
    message,
};
constexpr std::array validation_columns{
    phase,
    PrinterColumn{"Result", "string", ".status.validationResult", "Pass, Fail, Warn or Skip."},
    PrinterColumn{"Checks", "integer", ".status.checksCompleted", "Checks that were made."},
    age,
    message,
};

// A status is written by the operator alone: an API server that filled in defaults would say what nobody
// found out.
void remove_defaults(boost::json::value& schema) {
  if (auto* list = schema.if_array())
    for (auto& item : *list) remove_defaults(item);
  auto* object = schema.if_object();
  if (!object) return;
  object->erase("default");
  for (auto& member : *object) remove_defaults(member.value());
}

template <class Status>
boost::json::object status_schema() {
  boost::json::value schema = schema::openapi_of<Status>();
  remove_defaults(schema);
  auto& object = schema.get_object();
  object["nullable"] = true;
  return object;
}

constexpr std::array<KindInfo, 5> all{{
    {"KafkaBackup", "kafkabackups", "kafkabackup", "kb",
     "Backs up topics of a Kafka cluster, once, by a schedule or continuously.", backup_columns,
     schema::openapi_of<KafkaBackupSpec>, status_schema<KafkaBackupStatus>},
    {"KafkaRestore", "kafkarestores", "kafkarestore", "kr",
     "Restores topics of a backup into a Kafka cluster.", restore_columns,
     schema::openapi_of<KafkaRestoreSpec>, status_schema<KafkaRestoreStatus>},
    {"KafkaOffsetReset", "kafkaoffsetresets", "kafkaoffsetreset", "kor",
     "Sets committed offsets of consumer groups.", reset_columns, schema::openapi_of<KafkaOffsetResetSpec>,
     status_schema<KafkaOffsetResetStatus>},
    {"KafkaOffsetRollback", "kafkaoffsetrollbacks", "kafkaoffsetrollback", "korb",
     "Puts committed offsets of consumer groups back to what they were.", rollback_columns,
     schema::openapi_of<KafkaOffsetRollbackSpec>, status_schema<KafkaOffsetRollbackStatus>},
    {"KafkaBackupValidation", "kafkabackupvalidations", "kafkabackupvalidation", "kbv",
     "Compares a backup with a cluster and keeps the evidence.", validation_columns,
     schema::openapi_of<KafkaBackupValidationSpec>, status_schema<KafkaBackupValidationStatus>},
}};

}  // namespace

std::span<const KindInfo> kinds() {
  return all;
}

}  // namespace kb::api
