#include "base/log.h"
#include "cli/backup_result.h"
#include "cli/continuous_result.h"
#include "cli/engine_progress.h"
#include "cli/run_metrics.h"
#include "cli/run_resources.h"
#include "engine/backup.h"
#include "engine/breaker_settings.h"
#include "storage/open.h"

namespace kb::cli {

Outcome run_backup(const Context& ctx, const ResourceRun& run) {
  const auto& metadata = run.resource.metadata;
  engine::BackupRequest request{
      .owner = {.cluster_uid = "", .resource_namespace = metadata.namespace_name, .name = metadata.name},
      .spec = std::get<api::KafkaBackupSpec>(run.resource.spec),
      .backup_id = run.flags.backup_id,
      .shard = run.flags.shard.value_or(engine::Shard{}),
      .memory_bytes_max = run.flags.memory_bytes_max,
      .secrets = SecretFiles(run.flags.secrets_dir)};
  engine::ProgressCounters counters;
  const auto& breaker = request.spec.circuit_breaker;
  engine::enable(*counters.breakers, breaker);
  std::string location;
  auto open_store = [&](bool create) {
    if (create) storage::create_directories(run.archive);
    auto store =
        storage::open_filesystem_if_there(run.archive, {}, engine::store_guard(breaker, counters.breakers));
    if (store) location = store->location();
    return store;
  };
  if (run.flags.finish) {
    auto report = engine::finish_backup(ctx, request, open_store);
    return {.result = present(summarize(metadata, report, location)), .failure = {}};
  }
  const auto metrics = serve_run_metrics(request.spec.metrics, RunKind::backup, request.owner.name, counters);
  EngineProgress progress(run.common, request.spec.continuous ? "following" : "backing up", counters);
  if (request.spec.continuous) {
    const auto report = engine::follow(ctx, request, open_store, counters);
    progress.finish();
    return {.result = present(summarize(metadata, report, location)), .failure = stopped(report)};
  }
  auto report = engine::backup(ctx, request, open_store, counters);
  progress.finish();
  return {.result = present(summarize(metadata, report, location)), .failure = {}};
}

}  // namespace kb::cli
