// The names of an archive's objects; the only place that knows them (docs/archive-format.md, "Objects").
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kb::archive {

std::string header_key();
std::string pin_key(std::string_view backup_id, std::string_view base_id);
std::string plan_key(std::string_view backup_id);
std::string opening_key(std::string_view backup_id);
std::string checkpoint_key(std::string_view backup_id, int shard, int generation);
std::string segment_key(std::string_view backup_id, int shard, int generation, int sequence);
// `body_sha256` in hexadecimal: two workers that make the same index give it the same name.
std::string index_key(std::string_view backup_id, std::string_view body_sha256);
std::string decision_key(std::string_view backup_id);
std::string tombstone_key(std::string_view backup_id);

// Prefixes to list.
std::string pins_prefix();
std::string runs_prefix();
std::string run_prefix(std::string_view backup_id);
std::string segments_prefix();
std::string indexes_prefix();
std::string decisions_prefix();
std::string tombstones_prefix();

// The run that an object of any of these prefixes belongs to; empty for the header and foreign names.
std::optional<std::string> backup_id_of(std::string_view key);
// The last part of a key: of a pin the base it names, of a decision or tombstone its run.
std::string last_part(std::string_view key);

// A backup id is <name>-YYYYMMDD-HHMMSS (UTC) and can be part of an object's name.
bool is_backup_id(std::string_view text);
// The part that orders the runs of an archive in time. Throws invalid when this is no backup id.
std::string_view time_of(std::string_view backup_id);
std::string make_backup_id(std::string_view name, std::int64_t unix_ms);

}  // namespace kb::archive
