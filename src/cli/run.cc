#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "api/not_yet.h"
#include "api/resource.h"
#include "archive/layout.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/locate_archive.h"
#include "cli/run_resources.h"
#include "engine/sasl_secret_login.h"

namespace kb::cli {
namespace {

constexpr std::size_t file_bytes_max = 4 << 20;  // more than the parser takes, so that it says so

std::string read_stream(std::istream& in, const std::string& name) {
  std::string text(file_bytes_max, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) fail(ErrorKind::denied, "cannot read {}", name);
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

std::string read_file(const std::string& path) {
  if (path == "-") return read_stream(std::cin, "standard input");
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) fail(ErrorKind::not_found, "there is no file {}", path);
  if (std::filesystem::is_directory(path, ignored))
    fail(ErrorKind::invalid, "{} is a directory, not a file", path);
  std::ifstream in(path, std::ios::binary);
  if (!in) fail(ErrorKind::denied, "cannot open {}", path);
  return read_stream(in, path);
}

std::vector<api::Resource> read_resources(const std::string& path) {
  return api::parse_resources(read_file(path), path == "-" ? "standard input" : path);
}

bool is_backup(const api::Resource& resource) {
  return std::holds_alternative<api::KafkaBackupSpec>(resource.spec);
}

bool is_suspended(const api::Resource& resource) {
  return is_backup(resource) && std::get<api::KafkaBackupSpec>(resource.spec).suspend;
}

// All shards, and the finish, have to mean the same run.
void check_shard_flags(const RunFlags& flags, const std::vector<api::Resource>& resources) {
  if (!flags.shard && !flags.finish) return;
  const auto* flag = flags.finish ? "--finish" : "--shard";
  if (resources.size() != 1)
    fail(ErrorKind::invalid, "{} is for one resource; {} holds {}", flag, flags.file, resources.size());
  if (is_backup(resources[0]) && flags.backup_id.empty())
    throw Error(ErrorKind::invalid, fmt::format("{} of a KafkaBackup needs --backup-id", flag),
                "give all shards and --finish the same --backup-id <name>-YYYYMMDD-HHMMSS");
}

void check_flags(const RunFlags& flags, const std::vector<api::Resource>& resources) {
  auto is_folder = [](const std::string& path) {
    std::error_code ignored;
    return path.empty() || std::filesystem::is_directory(path, ignored);
  };
  if (!is_folder(flags.volumes))
    fail(ErrorKind::not_found, "--volumes: there is no directory {}", flags.volumes);
  if (!is_folder(flags.secrets_dir))
    fail(ErrorKind::not_found, "--secrets-dir: there is no directory {}", flags.secrets_dir);
  check_shard_flags(flags, resources);
  if (flags.backup_id.empty()) return;
  archive::time_of(flags.backup_id);
  auto backups = std::count_if(resources.begin(), resources.end(), is_backup);
  if (backups != 1)
    fail(ErrorKind::invalid, "--backup-id names the run of one KafkaBackup; {} holds {}", flags.file,
         backups);
}

// Everything that can be found wrong before anything is done.
std::vector<ResourceRun> prepare(const RunFlags& flags, const CommonFlags& common,
                                 const std::vector<api::Resource>& resources,
                                 const std::vector<api::Resource>& known) {
  for (const auto& resource : resources) api::refuse_unsupported(resource);
  std::vector<ResourceRun> runs;
  for (const auto& resource : resources) {
    if (is_suspended(resource)) {
      runs.push_back({resource, storage::Place(""), flags, common});
      continue;
    }
    try {
      auto place = is_backup(resource)
                       ? archive_place(flags.volumes, std::get<api::KafkaBackupSpec>(resource.spec).storage,
                                       resource.metadata.namespace_name, resource.metadata.name)
                       : archive_place(flags.volumes, resource, known);
      runs.push_back({resource, std::move(place), flags, common});
    } catch (const Error& error) {
      throw error.while_doing(resource.to_string());
    }
  }
  return runs;
}

Result run_suspended(const api::Resource& resource) {
  const auto& metadata = resource.metadata;
  return {
      fmt::format("KafkaBackup {}/{}: suspended, nothing was done\n", metadata.namespace_name, metadata.name),
      boost::json::object{{"kind", resource.kind},
                          {"namespace", metadata.namespace_name},
                          {"name", metadata.name},
                          {"outcome", "suspended"}}};
}

Error about(const api::Resource& resource, const Error& error) {
  auto hint = error.hint();
  if (hint.empty() && error.kind() == ErrorKind::cancelled)
    hint = "give the same command again to go on where it was stopped";
  return Error(error.kind(), fmt::format("{}: {}", resource.to_string(), error.what()), hint);
}

Outcome run_one(const Context& ctx, const ResourceRun& run) {
  if (is_suspended(run.resource)) return {.result = run_suspended(run.resource), .failure = {}};
  for (const auto& note : api::engine_support(run.resource).notes)
    LOG_INFO("{}: {}", run.resource.to_string(), note);
  Outcome outcome;
  try {
    engine::prepare_process(cluster_of(run.resource), SecretFiles(run.flags.secrets_dir));
    outcome = is_backup(run.resource) ? run_backup(ctx, run) : run_restore(ctx, run);
  } catch (const Error& error) {
    outcome.failure = error;
  } catch (const std::exception& error) {
    outcome.failure = Error(ErrorKind::internal, error.what());
  }
  if (outcome.failure) outcome.failure = about(run.resource, *outcome.failure);
  return outcome;
}

}  // namespace

Outcome run(const Context& ctx, const RunFlags& flags, const CommonFlags& common) {
  const auto resources = read_resources(flags.file);
  auto known = resources;
  if (!flags.backup_file.empty())
    for (auto& resource : read_resources(flags.backup_file)) known.push_back(std::move(resource));
  check_flags(flags, resources);
  Outcome outcome;
  boost::json::array results;
  for (const auto& one : prepare(flags, common, resources, known)) {
    auto each = run_one(ctx, one);
    outcome.result.text += each.result.text;
    if (!each.result.json.is_null()) results.push_back(std::move(each.result.json));
    outcome.failure = std::move(each.failure);
    if (outcome.failure) break;
  }
  outcome.result.json = boost::json::object{{"resources", std::move(results)}};
  return outcome;
}

}  // namespace kb::cli
