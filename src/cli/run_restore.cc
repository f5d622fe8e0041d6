#include "archive/archive.h"
#include "cli/engine_progress.h"
#include "cli/restore_result.h"
#include "cli/run_resources.h"
#include "engine/restore.h"
#include "storage/open.h"

namespace kb::cli {

Outcome run_restore(const Context& ctx, const ResourceRun& run) {
  const auto& metadata = run.resource.metadata;
  engine::RestoreRequest request{.restore_namespace = metadata.namespace_name,
                                 .restore_name = metadata.name,
                                 .spec = std::get<api::KafkaRestoreSpec>(run.resource.spec),
                                 .shard = run.flags.shard.value_or(engine::Shard{}),
                                 .memory_bytes_max = run.flags.memory_bytes_max,
                                 .secrets = SecretFiles(run.flags.secrets_dir)};
  auto archive = archive::Archive::open(ctx, storage::open_filesystem(run.archive));
  const auto location = archive.store().location();
  if (run.flags.finish) {
    auto report = engine::finish_restore(ctx, request, archive);
    return {.result = present(summarize(run.resource, report, location)), .failure = {}};
  }
  engine::ProgressCounters counters;
  auto common = run.common;
  if (request.spec.dry_run) common.progress = "none";
  EngineProgress progress(common, "restoring", counters);
  auto report = engine::restore(ctx, request, archive, counters);
  progress.finish();
  return {.result = present(summarize(run.resource, report, location)), .failure = report.refused};
}

}  // namespace kb::cli
