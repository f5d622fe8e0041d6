// Where archives are when volumes are folders: <volumes>/<claim>/<subPath>/<namespace>/<name>. <volumes> and
// <claim> may be symbolic links, below a claim none is followed. Reads the file system, writes nothing.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "api/resource.h"
#include "cli/arguments.h"
#include "storage/place.h"

namespace kb::cli {

// The place of the archive of the KafkaBackup <resource_namespace>/<name>, whether it is there or not. Throws
// invalid without `volumes`, not_found when the claim's folder is missing.
storage::Place archive_place(const std::string& volumes, const api::Storage& storage,
                             std::string_view resource_namespace, std::string_view name);

// The place of the archive that a KafkaRestore reads; `backups` are the resources of the file and of
// --backup-file. Throws not_found, or invalid with the candidates when several would do.
storage::Place archive_place(const std::string& volumes, const api::Resource& restore,
                             const std::vector<api::Resource>& backups);

// Directories of archives below `root`, sorted; none inside of an archive. Symbolic links and hidden
// directories are passed over. Throws invalid when there are more than 100,000 directories to look at, denied
// when `root` is behind a link.
std::vector<storage::Place> find_archives(const storage::Place& root);

// What the flags mean, at least one. Throws not_found, invalid.
std::vector<storage::Place> chosen_archives(const ArchiveFlags& flags);
// The same where it must be one.
storage::Place chosen_archive(const ArchiveFlags& flags);

}  // namespace kb::cli
