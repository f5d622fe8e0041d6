#include "archive/prune.h"

#include <algorithm>
#include <set>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "archive/layout.h"
#include "base/log.h"
#include "base/quantities.h"
#include "base/unix_time.h"
#include "cli/commands.h"
#include "cli/locate_archive.h"
#include "cli/result_rows.h"
#include "schema/writer.h"
#include "storage/open.h"

namespace kb::cli {
namespace {

std::vector<std::string> ids_to_delete(const Context& ctx, const archive::Archive& archive,
                                       const PruneFlags& flags) {
  auto ids = flags.delete_ids;
  auto expired = archive::expired(
      archive.sets(ctx), {.max_age_days = flags.max_age_days, .keep_last = flags.keep_last}, unix_now_ms());
  for (auto& id : expired)
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(std::move(id));
  return ids;
}

std::string text_of(const std::string& location, const archive::PruneReport& report, bool dry_run) {
  auto text = location + (dry_run ? "  (dry run: nothing was changed)\n" : "\n");
  text +=
      result_row(dry_run ? "would delete" : "deleted",
                 report.deleted.empty() ? "no backup" : fmt::format("{}", fmt::join(report.deleted, ", ")));
  text +=
      result_row(dry_run ? "would remove" : "removed",
                 fmt::format("{} objects with {}", format_count(report.objects), format_bytes(report.bytes)));
  for (const auto& id : report.abandoned) text += result_row(dry_run ? "would give up" : "given up", id);
  for (const auto& id : report.incomplete) text += result_row("not finished", id + "; its objects stay");
  return text;
}

}  // namespace

Outcome prune(const Context& ctx, const PruneFlags& flags) {
  for (const auto& id : flags.delete_ids) archive::time_of(id);
  auto archive = archive::Archive::open(ctx, storage::open_filesystem(chosen_archive(flags.where)));
  auto ids = ids_to_delete(ctx, archive, flags);
  for (const auto& id : flags.delete_ids)
    if (!archive.is_deleted(ctx, id))
      archive.set(ctx, id);  // throws, and says why, before anything is given up
  auto report = archive::prune(
      ctx, archive, ids, flags.dry_run ? archive::PruneMode::dry_run : archive::PruneMode::act,
      flags.abandon_incomplete ? archive::UndecidedRuns::abandon : archive::UndecidedRuns::keep);
  auto json = schema::write(report).get_object();
  json["location"] = archive.store().location();
  json["dryRun"] = flags.dry_run;
  return {
      .result = {.text = text_of(archive.store().location(), report, flags.dry_run), .json = std::move(json)},
      .failure = {}};
}

}  // namespace kb::cli
