#include "cli/locate_archive.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "archive/layout.h"
#include "base/error.h"

namespace kb::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t directories_max = 100'000;
constexpr std::size_t candidates_shown_max = 10;

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

std::string name_of_place(const fs::path& path) {
  return fs::absolute(path).lexically_normal().string();
}

// Also what is left of an archive counts as one, so that verify can say what is missing.
bool is_archive(const fs::path& path) {
  std::error_code ignored;
  auto is_there = [&](const std::string& prefix) { return is_folder(path / prefix); };
  return fs::is_regular_file(path / archive::header_key(), ignored) ||
         (is_there(archive::decisions_prefix()) && is_there(archive::segments_prefix()));
}

std::vector<fs::path> folders_in(const fs::path& path) {
  std::error_code error;
  std::vector<fs::path> folders;
  for (auto it = fs::directory_iterator(path, error); !error && it != fs::directory_iterator();
       it.increment(error)) {
    auto name = it->path().filename().string();
    if (!name.starts_with(".") && it->symlink_status().type() == fs::file_type::directory)
      folders.push_back(it->path());
  }
  if (error)
    fail(error == std::errc::permission_denied ? ErrorKind::denied : ErrorKind::not_found,
         "cannot list {}: {}", path.string(), error.message());
  return folders;
}

std::string claim_folder(const std::string& volumes, const api::PvcStorage& pvc) {
  if (volumes.empty())
    throw Error(ErrorKind::invalid, fmt::format("claim {} needs --volumes", pvc.claim_name),
                fmt::format("--volumes DIR: the claim is the folder DIR/{}", pvc.claim_name));
  auto folder = fs::path(volumes) / pvc.claim_name;
  const bool is_made = pvc.create && pvc.create->enabled;  // by the first run
  if (!is_made && !is_folder(folder))
    throw Error(ErrorKind::not_found, fmt::format("claim {} is not a folder of {}", pvc.claim_name, volumes),
                fmt::format("mkdir -p {}, when nothing has to be mounted there", folder.string()));
  return folder.string();
}

std::string storage_root(const std::string& volumes, const api::Storage& storage) {
  CHECK(storage.pvc);  // other types are refused before
  return name_of_place(fs::path(claim_folder(volumes, *storage.pvc)) / storage.pvc->sub_path.value_or(""));
}

const api::KafkaBackupSpec* find_backup(const std::vector<api::Resource>& resources,
                                        std::string_view resource_namespace, std::string_view name) {
  for (const auto& resource : resources)
    if (resource.metadata.name == name && resource.metadata.namespace_name == resource_namespace)
      if (const auto* backup = std::get_if<api::KafkaBackupSpec>(&resource.spec)) return backup;
  return nullptr;
}

bool ends_with(const fs::path& path, std::string_view resource_namespace, std::string_view name) {
  return (name.empty() || path.filename() == name) &&
         (resource_namespace.empty() || path.parent_path().filename() == resource_namespace);
}

// The folder that may hold `root` is searched only as far as it exists.
std::vector<std::string> matching(const std::string& root, std::string_view resource_namespace,
                                  std::string_view name) {
  auto found = find_archives(root);
  std::erase_if(found, [&](const auto& path) { return !ends_with(path, resource_namespace, name); });
  return found;
}

std::string listed(const std::vector<std::string>& paths) {
  auto shown = std::min(paths.size(), candidates_shown_max);
  auto text =
      fmt::format("{}", fmt::join(paths.begin(), paths.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  return shown < paths.size() ? fmt::format("{} and {} more", text, paths.size() - shown) : text;
}

std::string only_one(const std::vector<std::string>& found, const std::string& what, const std::string& root,
                     const std::string& hint) {
  if (found.empty())
    throw Error(ErrorKind::not_found, fmt::format("there is no {} below {}", what, root), hint);
  if (found.size() > 1)
    throw Error(ErrorKind::invalid,
                fmt::format("there are {} archives that could be meant: {}", found.size(), listed(found)),
                hint);
  return found.front();
}

}  // namespace

std::string archive_path(const std::string& volumes, const api::Storage& storage,
                         std::string_view resource_namespace, std::string_view name) {
  return name_of_place(fs::path(storage_root(volumes, storage)) / resource_namespace / name);
}

std::string archive_path(const std::string& volumes, const api::Resource& restore,
                         const std::vector<api::Resource>& backups) {
  const auto& reference = std::get<api::KafkaRestoreSpec>(restore.spec).backup_ref;
  const auto name = reference.name.value_or("");
  const auto resource_namespace = reference.namespace_name.value_or(restore.metadata.namespace_name);
  if (reference.storage && !name.empty())
    return archive_path(volumes, *reference.storage, resource_namespace, name);
  if (reference.storage) {
    auto root = storage_root(volumes, *reference.storage);
    return only_one(matching(root, "", ""), "archive", root,
                    "spec.backupRef.name says which KafkaBackup is meant");
  }
  if (const auto* backup = find_backup(backups, resource_namespace, name))
    return archive_path(volumes, backup->storage, resource_namespace, name);
  auto wanted = fmt::format("{}/{}", resource_namespace, name);
  if (volumes.empty())
    throw Error(ErrorKind::invalid,
                fmt::format("nothing says where the archive of KafkaBackup {} is", wanted),
                "give --volumes DIR, or spec.backupRef.storage");
  return only_one(matching(volumes, resource_namespace, name), "archive " + wanted, volumes,
                  "spec.backupRef.storage, or --backup-file with the KafkaBackup, says where it is");
}

std::vector<std::string> find_archives(const std::string& root) {
  std::vector<std::string> found;
  if (!is_folder(root)) return found;
  std::vector<fs::path> to_visit{root};
  std::size_t visited = 0;
  while (!to_visit.empty()) {
    auto path = std::move(to_visit.back());
    to_visit.pop_back();
    if (++visited > directories_max)
      fail(ErrorKind::invalid, "more than {} directories below {} to look for archives in", directories_max,
           root);
    if (is_archive(path)) {
      found.push_back(name_of_place(path));
      continue;
    }
    for (auto& folder : folders_in(path)) to_visit.push_back(std::move(folder));
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<std::string> chosen_archives(const ArchiveFlags& flags) {
  constexpr auto how = "--archive DIR is one archive; --volumes DIR is a folder of claims to look through";
  if (!flags.archive.empty()) {
    if (!is_folder(flags.archive))
      fail(ErrorKind::not_found, "--archive: there is no directory {}", flags.archive);
    if (!is_archive(flags.archive))
      throw Error(ErrorKind::not_found, fmt::format("there is no archive at {}", flags.archive), how);
    return {name_of_place(flags.archive)};
  }
  if (flags.volumes.empty())
    throw Error(ErrorKind::invalid, "nothing says where the archive is: --archive or --volumes is missing",
                how);
  auto root = (fs::path(flags.volumes) / flags.claim).string();
  if (!is_folder(root)) fail(ErrorKind::not_found, "there is no directory {}", root);
  auto found = matching(root, flags.resource_namespace, flags.name);
  if (found.empty())
    throw Error(ErrorKind::not_found,
                fmt::format("there is no archive{} below {}",
                            flags.name.empty() ? "" : " of a KafkaBackup " + flags.name, root),
                how);
  return found;
}

std::string chosen_archive(const ArchiveFlags& flags) {
  return only_one(chosen_archives(flags), "archive", flags.volumes,
                  "--claim, --namespace and --name, or --archive say which");
}

}  // namespace kb::cli
