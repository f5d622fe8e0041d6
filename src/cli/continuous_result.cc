#include "cli/continuous_result.h"

#include <fmt/format.h>

#include "base/quantities.h"
#include "cli/result_rows.h"
#include "schema/writer.h"

namespace kb::cli {

ContinuousResult summarize(const api::ObjectMeta& metadata, const engine::ContinuousReport& report,
                           const std::string& location) {
  const auto& totals = report.totals;
  return {.resource_namespace = metadata.namespace_name,
          .name = metadata.name,
          .backup_id = report.newest ? report.newest->capture.backup_id : "",
          .location = location,
          .restore_points = report.restore_points,
          .records = totals.records,
          .raw_bytes = totals.raw_bytes,
          .stored_bytes = totals.stored_bytes,
          .segments = totals.segments,
          .lost = totals.lost};
}

Result present(const ContinuousResult& result) {
  auto text = fmt::format("KafkaBackup {}/{}: stopped\n", result.resource_namespace, result.name);
  text += result_row("newest", result.backup_id.empty() ? "no restore point was made" : result.backup_id);
  text += result_row("archive", result.location);
  text += result_row("points", fmt::format("{} restore points", format_count(result.restore_points)));
  text += result_row("records", format_count(result.records) + " new");
  text += result_row("bytes",
                     fmt::format("{} of batches, {} stored in {} segments", format_bytes(result.raw_bytes),
                                 format_bytes(result.stored_bytes), format_count(result.segments)));
  if (result.lost > 0) text += result_row("lost", format_count(result.lost) + " offsets");
  return {std::move(text), schema::write(result)};
}

Error stopped(const engine::ContinuousReport& report) {
  const auto newest = report.newest ? report.newest->capture.backup_id : "";
  auto text = newest.empty() ? "stopped before there was a restore point"
                             : fmt::format("stopped; restore point {} has everything that was read", newest);
  if (!report.still_open.empty())
    text = fmt::format(
        "stopped while run {} could not be closed: what it has stored becomes a restore point when the "
        "backup goes on{}",
        report.still_open, newest.empty() ? "" : "; the newest until then is " + newest);
  return {ErrorKind::cancelled, std::move(text), "give the same command again to go on from there"};
}

}  // namespace kb::cli
