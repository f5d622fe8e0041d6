// kafka-backup worker: what a pod of the operator's Jobs runs. Its order comes as a file, its report goes
// into the container's termination message, and meanwhile it says over HTTP how far it is (src/api/job.h).
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "api/not_yet.h"
#include "api/resource.h"
#include "archive/archive.h"
#include "base/log.h"
#include "cli/backup_result.h"
#include "cli/commands.h"
#include "cli/continuous_result.h"
#include "cli/engine_progress.h"
#include "cli/locate_archive.h"
#include "cli/restore_result.h"
#include "cli/run_metrics.h"
#include "cli/run_resources.h"
#include "cli/work_report.h"
#include "cli/worker_server.h"
#include "engine/breaker_settings.h"
#include "engine/sasl_secret_login.h"
#include "schema/schema.h"
#include "storage/open.h"

namespace kb::cli {
namespace {

struct Work {
  api::WorkReport report;
  Result result;
  std::optional<Error> failure = {};  // how the program ends though there is a report
};

std::string read_order(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) fail(ErrorKind::not_found, "--order: cannot open {}: {}", path, std::strerror(errno));
  std::string text(api::work_order_bytes_max + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

// Half of what the container may have: the rest is for indexes, connections and the program itself.
std::size_t memory_for_data(const WorkerFlags& flags) {
  constexpr std::uint64_t least = 16 << 20, most = 1 << 30;
  std::uint64_t limit = flags.memory_bytes_max;
  const char* given = std::getenv("KAFKA_BACKUP_MEMORY_LIMIT");
  if (std::uint64_t bytes = 0;
      given && std::from_chars(given, given + std::strlen(given), bytes).ec == std::errc())
    limit = bytes / 2;
  return static_cast<std::size_t>(std::clamp(limit, least, most));
}

engine::Shard shard_of(const api::WorkOrder& order) {
  engine::Shard shard{.index = 0, .count = order.shards};
  const char* index = std::getenv("JOB_COMPLETION_INDEX");
  if (order.stage == api::WorkStage::run && order.shards > 1) {
    if (!index) fail(ErrorKind::invalid, "JOB_COMPLETION_INDEX is not set: this is no pod of an Indexed Job");
    std::from_chars(index, index + std::strlen(index), shard.index);
  }
  return shard;
}

// The resource as it stands in the cluster, checked once more.
api::Resource resource_of(const api::WorkOrder& order) {
  boost::json::value document = boost::json::object{
      {"apiVersion", api::api_version_v1alpha1},
      {"kind", order.kind},
      {"metadata", boost::json::object{{"name", order.name}, {"namespace", order.resource_namespace}}},
      {"spec", order.spec}};
  schema::Problems problems;
  auto resource = api::read_resource(document, problems);
  problems.throw_if_any("");
  api::refuse_unsupported(resource);
  return resource;
}

// The backup is committed whatever can be said of the others.
void add_points(const Context& ctx, std::shared_ptr<storage::ObjectStore> store, api::WorkReport& report) {
  try {
    report.points = points_of(ctx, archive::Archive::open(ctx, std::move(store)));
  } catch (const Error& error) {
    report.warnings.push_back(fmt::format("what can be restored is not known: {}", error.what()));
  }
}

Work follow(const Context& ctx, const engine::BackupRequest& request, const api::ObjectMeta& metadata,
            const engine::OpenStore& open_store, engine::ProgressCounters& counters) {
  const auto report = engine::follow(ctx, request, open_store, counters);
  Work work{work_report(report), present(summarize(metadata, report, "")), stopped(report)};
  constexpr auto time_max = std::chrono::seconds(5);  // of what is left of the pod's minute
  if (report.newest)
    add_points({.stop = {}, .deadline = Clock::now() + time_max}, open_store(false), work.report);
  return work;
}

Work back_up(const Context& ctx, const api::WorkOrder& order, const api::Resource& resource,
             const WorkerFlags& flags, const CommonFlags& common) {
  const auto& spec = std::get<api::KafkaBackupSpec>(resource.spec);
  const auto place = archive_place(flags.volumes, spec.storage, order.resource_namespace, order.name);
  engine::BackupRequest request{.owner = {.cluster_uid = order.cluster_uid,
                                          .resource_namespace = order.resource_namespace,
                                          .name = order.name},
                                .spec = spec,
                                .backup_id = order.backup_id,
                                .shard = shard_of(order),
                                .kept_backup_ids = order.kept_backup_ids,
                                .adopt_archive = order.adopt_archive,
                                .memory_bytes_max = memory_for_data(flags),
                                .secrets = SecretFiles(std::string(api::worker_secrets_folder))};
  engine::ProgressCounters counters;
  engine::enable(*counters.breakers, spec.circuit_breaker);
  auto open_store = [&](bool create) {
    if (create) storage::create_directories(place);
    return storage::open_filesystem_if_there(place, {},
                                             engine::store_guard(spec.circuit_breaker, counters.breakers));
  };
  WorkerServer server(flags.port, spec.continuous ? "following" : "backing up", counters);
  const auto metrics = serve_run_metrics(spec.metrics, RunKind::backup, order.backup_id, counters);
  EngineProgress progress(common, spec.continuous ? "following" : "backing up", counters);
  if (spec.continuous) return follow(ctx, request, resource.metadata, open_store, counters);
  auto report = order.stage == api::WorkStage::finish ? engine::finish_backup(ctx, request, open_store)
                                                      : engine::backup(ctx, request, open_store, counters);
  progress.finish();
  Work work{work_report(report), present(summarize(resource.metadata, report, place.path()))};
  if (work.report.outcome != api::WorkOutcome::shard_done) add_points(ctx, open_store(false), work.report);
  return work;
}

Work restore(const Context& ctx, const api::WorkOrder& order, api::Resource resource,
             const WorkerFlags& flags, const CommonFlags& common) {
  auto& spec = std::get<api::KafkaRestoreSpec>(resource.spec);
  auto& reference = spec.backup_ref;
  reference.namespace_name = order.backup_namespace;
  reference.name = order.backup_name;
  reference.storage = order.backup_storage;
  if (!order.backup_id.empty()) reference.backup_id = order.backup_id;
  engine::ProgressCounters counters;
  engine::enable(*counters.breakers, spec.circuit_breaker);
  auto archive = archive::Archive::open(
      ctx, storage::open_filesystem(archive_place(flags.volumes, resource, {}), {},
                                    engine::store_guard(spec.circuit_breaker, counters.breakers)));
  engine::RestoreRequest request{.restore_namespace = order.resource_namespace,
                                 .restore_name = order.name,
                                 .spec = spec,
                                 .shard = shard_of(order),
                                 .memory_bytes_max = memory_for_data(flags),
                                 .secrets = SecretFiles(std::string(api::worker_secrets_folder))};
  WorkerServer server(flags.port, "restoring", counters);
  EngineProgress progress(common, "restoring", counters);
  auto report = order.stage == api::WorkStage::finish ? engine::finish_restore(ctx, request, archive)
                                                      : engine::restore(ctx, request, archive, counters);
  progress.finish();
  if (report.refused) throw Error(*report.refused);
  return {work_report(report), present(summarize(resource, report, archive.store().location()))};
}

// Where it is missing nobody asks for it: the worker was started by hand.
void tell(const std::string& path, const api::WorkReport& report) {
  std::error_code ignored;
  if (path.empty() || !std::filesystem::exists(path, ignored)) return;
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << api::to_termination_message(report);
  out.close();
  if (!out) LOG_WARN("cannot write the report to {}: {}", path, std::strerror(errno));
}

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

}  // namespace

Outcome worker(const Context& ctx, const WorkerFlags& flags, const CommonFlags& common) {
  const auto begun = Clock::now();
  try {
    const auto order = schema::read_text<api::WorkOrder>(read_order(flags.order), flags.order);
    auto resource = resource_of(order);
    engine::prepare_process(cluster_of(resource), SecretFiles(std::string(api::worker_secrets_folder)));
    LOG_INFO("{} {}/{}: {} {}", order.kind, order.resource_namespace, order.name,
             order.stage == api::WorkStage::finish ? "finishing" : "running", order.backup_id);
    auto work = order.kind == "KafkaRestore" ? restore(ctx, order, std::move(resource), flags, common)
                                             : back_up(ctx, order, resource, flags, common);
    work.report.seconds = seconds_since(begun);
    tell(flags.termination_log, work.report);
    return {.result = std::move(work.result), .failure = std::move(work.failure)};
  } catch (const Error& error) {
    auto report = work_report(error);
    report.seconds = seconds_since(begun);
    tell(flags.termination_log, report);
    throw;
  } catch (const std::exception& error) {
    const Error internal(ErrorKind::internal, error.what());
    tell(flags.termination_log, work_report(internal));
    throw Error(internal);
  }
}

}  // namespace kb::cli
