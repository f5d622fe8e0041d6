// The numbers of one KafkaBackup that become metrics, from its status. Pure.
#pragma once
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "api/kafka_backup.h"
#include "api/kafka_backup_status.h"
#include "operator/resource_view.h"

namespace kb::op {

struct BackupFigure {
  std::string_view name, help;
  bool is_counter;
  std::optional<double> (*value)(const ResourceView&, const api::KafkaBackupSpec&,
                                 const api::KafkaBackupStatus&);
};
// One family each, with the labels resource_namespace and name.
std::span<const BackupFigure> backup_figures();

// A value for each of them, in their order; none where the status does not say.
std::vector<std::optional<double>> figures_of(const ResourceView& backup);

}  // namespace kb::op
