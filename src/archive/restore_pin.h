// Restores that are under way, so that nobody deletes what they read (docs/archive-format.md, "Restore
// pins"). Objects are never changed, so a pin is renewed by another object with a newer time in its name.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "archive/archive.h"
#include "base/unix_time.h"

namespace kb::archive {

// A pin that was not renewed for so long is dead: its restore was given up.
constexpr std::int64_t restore_pin_life_ms = std::int64_t{7} * 24 * 3600 * 1000;
// A restore itself trusts its pin a day less, as clocks differ.
constexpr std::int64_t restore_pin_trust_ms = std::int64_t{6} * 24 * 3600 * 1000;
// Older ones are removed when there is a newer one: no listing lasts so long that it would miss both.
constexpr std::int64_t restore_pin_overlap_ms = std::int64_t{24} * 3600 * 1000;

// What the name of a restore's pin says.
struct RestorePinName {
  std::string restore_id;
  std::string backup_id;
  bool held = false;  // the restore has its set: an older pin was there before it could be deleted
  std::int64_t renewed_at_ms = 0;
  std::string writer;
  bool is_dead(std::int64_t now_ms) const;
};

// Empty when the key is anything else, the pin of a run for example.
std::optional<RestorePinName> parse_restore_pin(std::string_view key);

// The restores under way by the set that they read: namespace/name of each, or its id where the pin cannot be
// read. Without those whose pins are dead.
std::map<std::string, std::set<std::string>> sets_being_restored(const Context& ctx, const Archive& archive,
                                                                 std::int64_t now_ms);

// "nightly-20250101-000000 (being restored by kafka/drill)"
std::string to_string(const std::string& backup_id, const std::set<std::string>& restores);

// The pins of one restore on the set that it reads. Thread-safe.
class RestorePin {
 public:
  // `identity`: what makes it the same restore when it is run again, or by several workers; any text.
  // `restore_name` is for people.
  RestorePin(Archive archive, std::string_view identity, std::string restore_name, std::string backup_id,
             UnixClock now_ms = unix_now_ms);

  // Pins the set, or renews the pin. Gives why the archive cannot be written to, in which case the restore is
  // not protected; empty when it is. Throws not_found when the set is deleted, unless an earlier pin of this
  // restore has kept it: then it is whole.
  std::string renew(const Context& ctx) const;
  // Removes all pins of the restore: nobody reads the set for it any more. Where nothing may be removed they
  // stay until they are dead.
  void release(const Context& ctx) const;
  // Removes those that this object wrote: nothing was begun. What an earlier run pinned stays.
  void withdraw(const Context& ctx) const;

 private:
  std::vector<std::string> keys(const Context& ctx) const;
  // Gives why it cannot be written, or nothing.
  std::string put(const Context& ctx, std::string_view state, std::int64_t time_ms) const;
  bool is_trusted(const std::vector<std::string>& keys) const;
  void remove_older(const Context& ctx, std::vector<std::string> keys, std::int64_t than_ms) const;
  std::string prefix() const;

  const Archive archive_;
  const std::string restore_id_, restore_name_, backup_id_, writer_;
  const UnixClock now_ms_;
};

}  // namespace kb::archive
