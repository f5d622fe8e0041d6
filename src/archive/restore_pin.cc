#include "archive/restore_pin.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <random>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "archive/layout.h"
#include "archive/typed_document.h"
#include "base/checksum.h"
#include "base/error.h"
#include "base/log.h"

namespace kb::archive {
namespace {

constexpr std::string_view asked = "asked", held = "held";

struct RestorePinDocument {
  std::string restore;
  void fields(auto& f) { f("restore", restore, "Who reads the set: namespace/name of the restore."); }
};

std::string random_writer() {
  std::random_device random;
  return fmt::format("{:08x}", random());
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t end; (end = text.find(separator)) != text.npos; text.remove_prefix(end + 1))
    parts.push_back(text.substr(0, end));
  parts.push_back(text);
  return parts;
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

bool is_within(std::int64_t time_ms, std::int64_t now_ms, std::int64_t span_ms) {
  // A time far ahead is a clock that was wrong, and must not hold a set until then.
  return std::abs(now_ms - time_ms) < span_ms;
}

std::string name_of(const Context& ctx, const Archive& archive, const std::string& key,
                    const std::string& otherwise) {
  try {
    auto document = read_document<RestorePinDocument>(ctx, archive.store(), "pin", key);
    return document ? document->restore : otherwise;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::corrupt && error.kind() != ErrorKind::invalid) throw;
    return otherwise;
  }
}

bool is_final(const Error& error) {
  return !error.retryable() && error.kind() != ErrorKind::cancelled;
}

void remove_all(const Context& ctx, const Archive& archive, const std::vector<std::string>& keys) {
  try {
    for (const auto& key : keys) archive.store().remove(ctx, key);
  } catch (const Error& error) {
    if (!is_final(error)) throw;
    LOG_INFO("a pin of this restore stays, and holds its backup for at most 7 days: {}", error.what());
  }
}

}  // namespace

bool RestorePinName::is_dead(std::int64_t now_ms) const {
  return !is_within(renewed_at_ms, now_ms, restore_pin_life_ms);
}

std::optional<RestorePinName> parse_restore_pin(std::string_view key) {
  const auto parts = split(key, '/');
  if (parts.size() != 4 || parts[0] != "pins" || !parts[1].starts_with("restore-") ||
      is_backup_id(parts[1]) || !is_backup_id(parts[2]))
    return std::nullopt;
  const auto last = split(parts[3], '-');
  if (last.size() != 3 || (last[0] != asked && last[0] != held)) return std::nullopt;
  const auto time_ms = number(last[1]);
  if (!time_ms) return std::nullopt;
  return RestorePinName{.restore_id = std::string(parts[1]),
                        .backup_id = std::string(parts[2]),
                        .held = last[0] == held,
                        .renewed_at_ms = *time_ms,
                        .writer = std::string(last[2])};
}

std::map<std::string, std::set<std::string>> sets_being_restored(const Context& ctx, const Archive& archive,
                                                                 std::int64_t now_ms) {
  std::map<std::pair<std::string, std::string>, std::string> keys;  // any one of the set and restore
  for (const auto& object : archive.store().list(ctx, pins_prefix()))
    if (auto pin = parse_restore_pin(object.key); pin && !pin->is_dead(now_ms))
      keys[{pin->backup_id, pin->restore_id}] = object.key;
  std::map<std::string, std::set<std::string>> restores;
  for (const auto& [which, key] : keys)
    restores[which.first].insert(name_of(ctx, archive, key, which.second));
  return restores;
}

std::string to_string(const std::string& backup_id, const std::set<std::string>& restores) {
  return fmt::format("{} (being restored by {})", backup_id, fmt::join(restores, ", "));
}

RestorePin::RestorePin(Archive archive, std::string_view identity, std::string restore_name,
                       std::string backup_id, UnixClock now_ms)
    : archive_(std::move(archive)),
      restore_id_("restore-" + sha256_hex(identity).substr(0, 24)),
      restore_name_(std::move(restore_name)),
      backup_id_(std::move(backup_id)),
      writer_(random_writer()),
      now_ms_(std::move(now_ms)) {}

// The order matters: docs/archive-format.md, "Restore pins".
std::string RestorePin::renew(const Context& ctx) const {
  const auto time_ms = now_ms_();
  auto unwritable = put(ctx, asked, time_ms);
  const bool deleted = archive_.is_deleted(ctx, backup_id_);
  const auto present = keys(ctx);
  if (deleted && !is_trusted(present)) {
    withdraw(ctx);
    archive_.set(ctx, backup_id_);  // throws, and says which backups there are
  }
  if (unwritable.empty()) unwritable = put(ctx, held, time_ms);
  if (unwritable.empty()) remove_older(ctx, present, time_ms - restore_pin_overlap_ms);
  return unwritable;
}

void RestorePin::release(const Context& ctx) const {
  remove_all(ctx, archive_, keys(ctx));
}

void RestorePin::withdraw(const Context& ctx) const {
  auto own = keys(ctx);
  std::erase_if(own, [&](const auto& key) { return parse_restore_pin(key)->writer != writer_; });
  remove_all(ctx, archive_, own);
}

std::vector<std::string> RestorePin::keys(const Context& ctx) const {
  std::vector<std::string> keys;
  for (auto& object : archive_.store().list(ctx, prefix()))
    if (parse_restore_pin(object.key)) keys.push_back(std::move(object.key));
  return keys;
}

std::string RestorePin::put(const Context& ctx, std::string_view state, std::int64_t time_ms) const {
  const auto key = fmt::format("{}{}-{}-{}", prefix(), state, time_ms, writer_);
  const RestorePinDocument document{.restore = restore_name_};
  try {
    archive_.store().put_if_absent(ctx, key,
                                   seal("pin", key, {.head = schema::write(document).get_object()}));
    return {};
  } catch (const Error& error) {
    if (!is_final(error)) throw;
    return error.what();
  }
}

// By the time that it is now: nobody may have taken it for dead before the new one was there.
bool RestorePin::is_trusted(const std::vector<std::string>& keys) const {
  return std::ranges::any_of(keys, [now_ms = now_ms_()](const auto& key) {
    auto pin = parse_restore_pin(key);
    return pin->held && is_within(pin->renewed_at_ms, now_ms, restore_pin_trust_ms);
  });
}

void RestorePin::remove_older(const Context& ctx, std::vector<std::string> keys, std::int64_t than_ms) const {
  std::erase_if(keys, [&](const auto& key) { return parse_restore_pin(key)->renewed_at_ms >= than_ms; });
  remove_all(ctx, archive_, keys);
}

std::string RestorePin::prefix() const {
  return fmt::format("{}{}/{}/", pins_prefix(), restore_id_, backup_id_);
}

}  // namespace kb::archive
