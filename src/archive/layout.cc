#include "archive/layout.h"

#include <algorithm>
#include <array>
#include <chrono>

#include <fmt/format.h>

#include "base/backup_id.h"
#include "base/error.h"
#include "storage/object_key.h"

namespace kb::archive {
namespace {

constexpr std::array<std::string_view, 6> run_folders{"pins/",    "runs/", "segments/",
                                                      "indexes/", "sets/", "tombstones/"};

constexpr std::string_view time_form = "-00000000-000000";

}  // namespace

std::string header_key() {
  return "archive";
}
std::string pin_key(std::string_view backup_id, std::string_view base_id) {
  return fmt::format("pins/{}/{}", backup_id, base_id);
}
std::string plan_key(std::string_view backup_id) {
  return fmt::format("runs/{}/plan", backup_id);
}
std::string opening_key(std::string_view backup_id) {
  return fmt::format("runs/{}/opening", backup_id);
}
std::string checkpoint_key(std::string_view backup_id, int shard, int generation) {
  return fmt::format("runs/{}/{}/{:08}", backup_id, shard, generation);
}
std::string segment_key(std::string_view backup_id, int shard, int generation, int sequence) {
  return fmt::format("segments/{}/{}-{:08}-{:08}", backup_id, shard, generation, sequence);
}
std::string index_key(std::string_view backup_id, std::string_view body_sha256) {
  return fmt::format("indexes/{}/{}", backup_id, body_sha256.substr(0, 32));
}
std::string decision_key(std::string_view backup_id) {
  return fmt::format("sets/{}", backup_id);
}
std::string tombstone_key(std::string_view backup_id) {
  return fmt::format("tombstones/{}", backup_id);
}

std::string pins_prefix() {
  return "pins/";
}
std::string runs_prefix() {
  return "runs/";
}
std::string run_prefix(std::string_view backup_id) {
  return fmt::format("runs/{}/", backup_id);
}
std::string segments_prefix() {
  return "segments/";
}
std::string indexes_prefix() {
  return "indexes/";
}
std::string decisions_prefix() {
  return "sets/";
}
std::string tombstones_prefix() {
  return "tombstones/";
}

std::optional<std::string> backup_id_of(std::string_view key) {
  for (auto folder : run_folders) {
    if (!key.starts_with(folder)) continue;
    auto rest = key.substr(folder.size());
    auto id = rest.substr(0, rest.find('/'));
    if (id.empty()) return std::nullopt;
    return std::string(id);
  }
  return std::nullopt;
}

std::string last_part(std::string_view key) {
  return std::string(key.substr(key.rfind('/') + 1));
}

bool is_backup_id(std::string_view text) {
  if (text.size() <= time_form.size() || !storage::is_valid_key_part(text)) return false;
  auto tail = text.substr(text.size() - time_form.size());
  auto matches = [](char c, char form) { return form == '0' ? c >= '0' && c <= '9' : c == form; };
  return std::equal(tail.begin(), tail.end(), time_form.begin(), matches);
}

std::string_view time_of(std::string_view backup_id) {
  if (!is_backup_id(backup_id))
    fail(ErrorKind::invalid, "backup id '{}' is not of the form <name>-YYYYMMDD-HHMMSS", backup_id);
  return backup_id.substr(backup_id.size() - time_form.size() + 1);
}

std::string make_backup_id(std::string_view name, std::int64_t unix_ms) {
  return kb::make_backup_id(name, std::chrono::sys_seconds(std::chrono::seconds(unix_ms / 1000)));
}

}  // namespace kb::archive
