#include "engine/verify.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "archive/archive.h"
#include "archive/layout.h"
#include "base/quantities.h"
#include "cli/commands.h"
#include "cli/engine_progress.h"
#include "cli/locate_archive.h"
#include "cli/result_rows.h"
#include "schema/writer.h"
#include "storage/open.h"

namespace kb::cli {
namespace {

// Without a header that can be read nothing of an archive can be.
engine::VerifyReport without_header(const Error& error) {
  engine::VerifyReport report;
  report.problems.push_back({.object = archive::header_key(), .what = error.what()});
  report.problems_total = 1;
  return report;
}

engine::VerifyReport verify_archive(const Context& ctx, const VerifyFlags& flags, const CommonFlags& common,
                                    const std::shared_ptr<storage::ObjectStore>& store) {
  std::optional<archive::Archive> archive;
  try {
    archive = archive::Archive::open(ctx, store);
  } catch (const Error& error) {
    auto kind = error.kind();
    if (kind != ErrorKind::corrupt && kind != ErrorKind::invalid && kind != ErrorKind::not_found) throw;
    return without_header(error);
  }
  engine::ProgressCounters counters;
  EngineProgress progress(common, flags.deep ? "verifying" : "looking up", counters);
  auto report = engine::verify(ctx, *archive,
                               {.backup_ids = flags.backup_ids,
                                .depth = flags.deep ? engine::VerifyDepth::deep : engine::VerifyDepth::quick,
                                .memory_bytes_max = flags.memory_bytes_max},
                               counters);
  progress.finish();
  return report;
}

std::string place_of(const engine::VerifyProblem& problem) {
  if (problem.topic.empty()) return problem.object;
  return fmt::format("{} {}/{} offsets {} to {}", problem.object, problem.topic, problem.partition,
                     problem.first_offset, problem.last_offset);
}

std::string text_of(const std::string& location, const engine::VerifyReport& report, bool deep) {
  auto text = location + "\n";
  std::uint64_t sound = 0;
  for (const auto& set : report.sets) sound += set.sound ? 1 : 0;
  text += result_row("backups", fmt::format("{} of {} sound", sound, report.sets.size()));
  for (const auto& set : report.sets)
    if (!set.sound) text += result_row("", "not sound: " + set.backup_id);
  text += result_row("objects",
                     fmt::format("{} with {}", format_count(report.objects), format_bytes(report.bytes)));
  if (deep)
    text += result_row("read", fmt::format("{} blocks, {} batches, {} records", format_count(report.blocks),
                                           format_count(report.batches), format_count(report.records)));
  text += result_row("problems", format_count(report.problems_total));
  for (const auto& problem : report.problems)
    text += fmt::format("    {}: {}\n", place_of(problem), problem.what);
  if (report.problems_total > report.problems.size())
    text += fmt::format("    and {} more\n", format_count(report.problems_total - report.problems.size()));
  for (const auto& note : report.notes) text += result_row("note", note);
  return text;
}

}  // namespace

Outcome verify(const Context& ctx, const VerifyFlags& flags, const CommonFlags& common) {
  for (const auto& id : flags.backup_ids) archive::time_of(id);
  // Ids are those of one archive; without any, all archives can be looked at.
  auto paths = flags.backup_ids.empty() ? chosen_archives(flags.where)
                                        : std::vector<storage::Place>{chosen_archive(flags.where)};
  Outcome outcome;
  boost::json::array archives;
  std::uint64_t problems = 0;
  for (const auto& path : paths) {
    auto store = storage::open_filesystem(path);
    auto report = verify_archive(ctx, flags, common, store);
    problems += report.problems_total;
    outcome.result.text += text_of(store->location(), report, flags.deep);
    auto json = schema::write(report).get_object();
    json["location"] = store->location();
    archives.push_back(std::move(json));
  }
  outcome.result.json = boost::json::object{{"archives", std::move(archives)}};
  if (problems > 0)
    outcome.failure =
        Error(ErrorKind::corrupt,
              fmt::format("verify found {} problem{}", format_count(problems), problems == 1 ? "" : "s"));
  return outcome;
}

}  // namespace kb::cli
