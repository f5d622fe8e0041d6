#include "cli/locate_archive.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "archive/layout.h"
#include "base/error.h"
#include "storage/directory.h"

namespace kb::cli {
namespace {

namespace fs = std::filesystem;
using storage::Place;

constexpr std::size_t directories_max = 100'000;
constexpr std::size_t candidates_shown_max = 10;

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

std::string name_of_place(const fs::path& path) {
  return fs::absolute(path).lexically_normal().string();
}

bool is_kind(const storage::Directory& root, int directory, std::string name, mode_t kind) {
  if (name.ends_with('/')) name.pop_back();
  const auto status = storage::status_of(directory, name, root.path_of(name));
  return status && (status->st_mode & S_IFMT) == kind;
}

// Also what is left of an archive counts as one, so that verify can say what is missing.
bool is_archive(const storage::Directory& root, int directory) {
  return is_kind(root, directory, archive::header_key(), S_IFREG) ||
         (is_kind(root, directory, archive::decisions_prefix(), S_IFDIR) &&
          is_kind(root, directory, archive::segments_prefix(), S_IFDIR));
}

bool is_archive_at(const std::string& path) {
  const storage::Directory directory(path);
  return is_archive(directory, directory.fd());
}

// Appends the directories in `directory`, which is at `at` below `root`.
void add_folders(const storage::Directory& root, int directory, const std::string& at,
                 std::vector<std::string>& folders) {
  const auto path = root.path_of(at);
  for (const auto& name : storage::names_in(directory, path))
    if (!name.starts_with(".") && is_kind(root, directory, name, S_IFDIR))
      folders.push_back(at.empty() ? name : fmt::format("{}/{}", at, name));
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

// The claim itself is where whoever started the program has put it; what is in it, tenants may have made.
Place place_in_claim(const std::string& volumes, const api::Storage& storage, std::string_view below) {
  CHECK(storage.pvc);  // other types are refused before
  return {name_of_place(claim_folder(volumes, *storage.pvc)),
          fmt::format("{}/{}", storage.pvc->sub_path.value_or(""), below)};
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
std::vector<Place> matching(const Place& root, std::string_view resource_namespace, std::string_view name) {
  auto found = find_archives(root);
  std::erase_if(found,
                [&](const Place& place) { return !ends_with(place.path(), resource_namespace, name); });
  return found;
}

std::string listed(const std::vector<Place>& places) {
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < std::min(places.size(), candidates_shown_max); ++i)
    paths.push_back(places[i].path());
  auto text = fmt::format("{}", fmt::join(paths, ", "));
  return paths.size() < places.size() ? fmt::format("{} and {} more", text, places.size() - paths.size())
                                      : text;
}

Place only_one(const std::vector<Place>& found, const std::string& what, const std::string& root,
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

Place archive_place(const std::string& volumes, const api::Storage& storage,
                    std::string_view resource_namespace, std::string_view name) {
  return place_in_claim(volumes, storage, fmt::format("{}/{}", resource_namespace, name));
}

Place archive_place(const std::string& volumes, const api::Resource& restore,
                    const std::vector<api::Resource>& backups) {
  const auto& reference = std::get<api::KafkaRestoreSpec>(restore.spec).backup_ref;
  const auto name = reference.name.value_or("");
  const auto resource_namespace = reference.namespace_name.value_or(restore.metadata.namespace_name);
  if (reference.storage && !name.empty())
    return archive_place(volumes, *reference.storage, resource_namespace, name);
  if (reference.storage) {
    auto root = place_in_claim(volumes, *reference.storage, "");
    return only_one(matching(root, "", ""), "archive", root.path(),
                    "spec.backupRef.name says which KafkaBackup is meant");
  }
  if (const auto* backup = find_backup(backups, resource_namespace, name))
    return archive_place(volumes, backup->storage, resource_namespace, name);
  auto wanted = fmt::format("{}/{}", resource_namespace, name);
  if (volumes.empty())
    throw Error(ErrorKind::invalid,
                fmt::format("nothing says where the archive of KafkaBackup {} is", wanted),
                "give --volumes DIR, or spec.backupRef.storage");
  return only_one(matching(volumes, resource_namespace, name), "archive " + wanted, volumes,
                  "spec.backupRef.storage, or --backup-file with the KafkaBackup, says where it is");
}

std::vector<Place> find_archives(const Place& root) {
  std::vector<Place> found;
  const auto top = storage::Directory::open_if_there(root);
  if (!top) return found;
  std::vector<std::string> to_visit{""};  // below `root`
  std::size_t visited = 0;
  while (!to_visit.empty()) {
    auto at = std::move(to_visit.back());
    to_visit.pop_back();
    if (++visited > directories_max)
      fail(ErrorKind::invalid, "more than {} directories below {} to look for archives in", directories_max,
           root.path());
    auto directory = top->find(at);
    if (!directory) continue;  // removed meanwhile
    if (is_archive(*top, directory->get()))
      found.emplace_back(name_of_place(root.trusted), fmt::format("{}/{}", root.below, at));
    else
      add_folders(*top, directory->get(), at, to_visit);
  }
  std::ranges::sort(found, {}, &Place::path);
  return found;
}

std::vector<Place> chosen_archives(const ArchiveFlags& flags) {
  constexpr auto how = "--archive DIR is one archive; --volumes DIR is a folder of claims to look through";
  if (!flags.archive.empty()) {
    if (!is_folder(flags.archive))
      fail(ErrorKind::not_found, "--archive: there is no directory {}", flags.archive);
    if (!is_archive_at(flags.archive))
      throw Error(ErrorKind::not_found, fmt::format("there is no archive at {}", flags.archive), how);
    return {Place(name_of_place(flags.archive))};
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

Place chosen_archive(const ArchiveFlags& flags) {
  return only_one(chosen_archives(flags), "archive", flags.volumes,
                  "--claim, --namespace and --name, or --archive say which");
}

}  // namespace kb::cli
