#include "engine/retention.h"

#include "archive/prune.h"
#include "base/error.h"
#include "base/log.h"

namespace kb::engine {
namespace {

void apply(const Context& ctx, const archive::Archive& archive, const api::Retention& retention,
           const std::vector<std::string>& kept, const UnixClock& now_ms, RetentionReport& report) {
  auto sets = archive.sets(ctx);
  report.inspected = sets.size();
  auto eligible = archive::expired(
      sets,
      {.max_age_days = retention.max_age_days.value_or(0), .keep_last = retention.keep_last.value_or(0)},
      now_ms());
  for (const auto& id : kept) std::erase(eligible, id);
  report.eligible = eligible.size();
  // Also when no set goes: the checkpoints of runs that are decided, and all of those given up, are in the
  // way.
  auto pruned = archive::prune(ctx, archive, eligible,
                               report.dry_run ? archive::PruneMode::dry_run : archive::PruneMode::act,
                               archive::UndecidedRuns::keep, now_ms);
  report.eligible = pruned.deleted.size();
  report.being_restored = std::move(pruned.being_restored);
  for (const auto& warning : retention_warnings(report)) LOG_WARN("{}", warning);
  report.reclaimed_bytes = pruned.bytes;
  if (!report.dry_run) report.deleted = std::move(pruned.deleted);
}

}  // namespace

RetentionReport apply_retention(const Context& ctx, const archive::Archive& archive,
                                const api::Retention& retention, const std::vector<std::string>& kept,
                                const UnixClock& now_ms) {
  RetentionReport report{.dry_run = retention.dry_run};
  try {
    apply(ctx, archive, retention, kept, now_ms, report);
  } catch (const Error& error) {
    report.error = error.what();
    LOG_WARN("retention of the archive at {} was not completed: {}", archive.store().location(),
             error.what());
  }
  return report;
}

std::vector<std::string> retention_warnings(const RetentionReport& report) {
  std::vector<std::string> warnings;
  for (const auto& set : report.being_restored) warnings.push_back("retention left backup " + set);
  return warnings;
}

}  // namespace kb::engine
