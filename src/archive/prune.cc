#include "archive/prune.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "archive/document.h"
#include "archive/layout.h"
#include "archive/restore_pin.h"
#include "archive/typed_document.h"
#include "base/backup_id.h"
#include "base/error.h"

namespace kb::archive {
namespace {

using Keys = std::set<std::string>;

Keys to_set(const std::vector<std::string>& list) {
  return {list.begin(), list.end()};
}

// What exists, read in the order that prune relies on.
struct Snapshot {
  Keys deleted;                   // only what had its tombstone before the pins were listed
  std::vector<std::string> pins;  // keys
  // When the pins were listed: who stalls meanwhile must take neither a new one nor an old one for dead.
  std::int64_t pins_from_ms = 0, pins_to_ms = 0;
  std::vector<std::string> kept;  // other decided runs
  std::vector<std::string> undecided;
  std::vector<std::string> abandoned;  // not decided yet, as in a dry run, and treated as if

  bool is_dead(const RestorePinName& pin) const {
    return pin.is_dead(pins_from_ms) && pin.is_dead(pins_to_ms);
  }
};

Snapshot take_snapshot(const Context& ctx, const Archive& archive, const std::vector<std::string>& delete_ids,
                       const std::vector<std::string>& abandoned, const UnixClock& now_ms) {
  Snapshot snapshot{.deleted = to_set(delete_ids)};
  // Tombstones before pins: a run that pins a set and then finds no tombstone is not noticed by a prune that
  // listed the pins before, so such a set must not be taken for deleted.
  for (const auto& object : archive.store().list(ctx, tombstones_prefix()))
    if (auto id = last_part(object.key); is_backup_id(id)) snapshot.deleted.insert(id);
  // Pins before decisions: a run that commits in between is then found among the decided ones.
  snapshot.pins_from_ms = now_ms();
  for (const auto& object : archive.store().list(ctx, pins_prefix())) snapshot.pins.push_back(object.key);
  snapshot.pins_to_ms = now_ms();
  auto catalog = archive.catalog(ctx);
  for (auto* ids : {&catalog.decided, &catalog.deleted})
    for (const auto& id : *ids)
      if (!snapshot.deleted.contains(id)) snapshot.kept.push_back(id);
  for (auto& id : catalog.undecided)
    (std::ranges::find(abandoned, id) == abandoned.end() ? snapshot.undecided : snapshot.abandoned)
        .push_back(std::move(id));
  return snapshot;
}

// Collects what sets need. An index that the set before referred to is not read again.
class Reach {
 public:
  // False when the run's decision, or an index of its set, is gone: another prune has deleted the set.
  bool add(const Context& ctx, const Archive& archive, const std::string& backup_id) {
    auto bytes = archive.store().get(ctx, decision_key(backup_id));
    if (!bytes) return false;
    auto decision = parse_document<Decision>("decision", decision_key(backup_id), *bytes);
    return !decision.set || add_set(ctx, archive, *decision.set);
  }
  bool contains(const std::string& key) const { return keys_.contains(key); }

 private:
  bool add_set(const Context& ctx, const Archive& archive, const Set& set) {
    const auto bounds = set.bounds();
    std::map<std::string, Index> loaded;
    for (const auto& reference : set.indexes) {
      auto index = load(ctx, archive, set.capture.backup_id, reference);
      if (!index) return false;
      keys_.insert(reference.key);
      for (auto& object : restrict_to(*index, bounds).objects) keys_.insert(std::move(object.key));
      loaded.insert_or_assign(reference.sha256, std::move(*index));
    }
    loaded_ = std::move(loaded);
    return true;
  }
  std::optional<Index> load(const Context& ctx, const Archive& archive, const std::string& backup_id,
                            const IndexReference& reference) {
    if (auto it = loaded_.find(reference.sha256); it != loaded_.end()) return it->second;
    try {
      return archive.load_index(ctx, reference);
    } catch (const Error&) {
      if (archive.is_deleted(ctx, backup_id) && !archive.store().head(ctx, reference.key))
        return std::nullopt;
      throw;
    }
  }

  Keys keys_;
  std::map<std::string, Index> loaded_;  // of the last set, by SHA-256
};

// What a prune goes by.
struct Verdict {
  Keys finished;  // runs that need nothing but what their sets, if any, refer to
  Keys pinned;    // sets that unfinished runs build on, or restores read
  Reach reach;
};

// Empty when another prune has deleted meanwhile what the snapshot shows: it knew of runs that this one does
// not, and may have left objects to them alone.
std::optional<Verdict> judge(const Context& ctx, const Archive& archive, const Snapshot& snapshot) {
  Verdict verdict{.finished = snapshot.deleted, .pinned = {}, .reach = {}};
  verdict.finished.insert(snapshot.abandoned.begin(), snapshot.abandoned.end());
  for (const auto& id : snapshot.kept) {
    if (!verdict.reach.add(ctx, archive, id)) return std::nullopt;
    verdict.finished.insert(id);
  }
  Keys gone;
  auto keep = [&](const std::string& set) {
    if (verdict.pinned.insert(set).second && !verdict.reach.add(ctx, archive, set)) gone.insert(set);
  };
  for (const auto& pin : snapshot.pins) {
    // When its set is gone it was too late, and knows; or the restore is complete.
    if (auto restore = parse_restore_pin(pin); restore && !snapshot.is_dead(*restore))
      keep(restore->backup_id);
    auto id = backup_id_of(pin);
    auto base = last_part(pin);
    if (!id || !is_backup_id(*id) || !is_backup_id(base) || verdict.finished.contains(*id)) continue;
    keep(base);
    // Either the run was decided since, or it was too late with its pin, and knows.
    if (gone.contains(base) && archive.decision(ctx, *id)) return std::nullopt;
  }
  return verdict;
}

// Objects that nobody needs: those of finished runs that are not reachable, and what describes runs in
// progress once they are finished.
std::vector<storage::ObjectInfo> garbage(const Context& ctx, const Archive& archive, const Snapshot& snapshot,
                                         const Verdict& verdict) {
  std::vector<storage::ObjectInfo> result;
  auto collect = [&](const std::string& prefix, auto&& is_garbage) {
    for (auto& object : archive.store().list(ctx, prefix))
      if (auto id = backup_id_of(object.key); id && is_garbage(*id, object.key)) result.push_back(object);
  };
  auto of_deleted = [&](const std::string& id, const std::string&) {
    return snapshot.deleted.contains(id) && !verdict.pinned.contains(id);
  };
  auto unreachable = [&](const std::string& id, const std::string& key) {
    return verdict.finished.contains(id) && !verdict.reach.contains(key);
  };
  auto of_finished = [&](const std::string& id, const std::string&) { return verdict.finished.contains(id); };
  const auto known_pins = to_set(snapshot.pins);
  auto dead = [&](const std::string&, const std::string& key) {
    auto pin = parse_restore_pin(key);
    return pin && known_pins.contains(key) && snapshot.is_dead(*pin);
  };
  collect(decisions_prefix(), of_deleted);
  collect(segments_prefix(), unreachable);
  collect(indexes_prefix(), unreachable);
  collect(runs_prefix(), of_finished);
  collect(pins_prefix(), of_finished);
  collect(pins_prefix(), dead);
  return result;
}

// A set that is deleted already is one, too: an interrupted prune is repeated with the same names.
void require_sets(const Context& ctx, const Archive& archive, const std::vector<std::string>& ids) {
  for (const auto& id : ids) {
    try {
      archive.set(ctx, id);
    } catch (const Error&) {
      if (!archive.is_deleted(ctx, id)) throw;
    }
  }
}

// The sets to delete, without those that restores are reading: these are reported.
std::vector<std::string> leave_restored(const Context& ctx, const Archive& archive,
                                        std::vector<std::string> ids, std::int64_t now_ms,
                                        PruneReport& report) {
  const auto restored = ids.empty() ? std::map<std::string, std::set<std::string>>()
                                    : sets_being_restored(ctx, archive, now_ms);
  std::erase_if(ids, [&](const auto& id) {
    auto it = restored.find(id);
    if (it == restored.end()) return false;
    report.being_restored.push_back(to_string(id, it->second));
    return true;
  });
  return ids;
}

}  // namespace

std::vector<std::string> expired(const std::vector<Set>& sets, const RetentionPolicy& policy,
                                 std::int64_t now_ms) {
  std::vector<std::string> ids;
  const std::size_t floor = std::max<std::size_t>(policy.keep_last, 1);
  const std::int64_t age_max_ms = std::int64_t{policy.max_age_days} * 24 * 3600 * 1000;
  for (std::size_t i = 0; i + floor < sets.size(); ++i) {
    const auto& capture = sets[i].capture;
    const auto run = time_of_backup_id(capture.backup_id);
    const auto time_ms =
        capture.captured_at_ms > 0 || !run ? capture.captured_at_ms : run->time_since_epoch().count() * 1000;
    bool old = now_ms - time_ms > age_max_ms;
    if (policy.max_age_days > 0 ? old : policy.keep_last > 0) ids.push_back(sets[i].capture.backup_id);
  }
  return ids;
}

PruneReport prune(const Context& ctx, const Archive& archive, const std::vector<std::string>& delete_ids,
                  PruneMode mode, UndecidedRuns undecided, const UnixClock& now_ms) {
  require_sets(ctx, archive, delete_ids);
  PruneReport report;
  if (undecided == UndecidedRuns::abandon) report.abandoned = archive.catalog(ctx).undecided;
  if (mode == PruneMode::act)
    std::erase_if(report.abandoned, [&](const auto& id) {  // those that were committed first are kept
      return archive.decide(ctx, id, {.abandoned = "given up by a prune"}).set.has_value();
    });
  report.deleted = leave_restored(ctx, archive, delete_ids, now_ms(), report);
  if (mode == PruneMode::act)
    for (const auto& id : report.deleted)
      archive.store().put_if_absent(ctx, tombstone_key(id), seal("tombstone", tombstone_key(id), {}));
  // A restore may pin a set between the two lists of pins: then it is deleted, but its objects stay.
  auto snapshot = take_snapshot(ctx, archive, report.deleted, report.abandoned, now_ms);
  auto verdict = judge(ctx, archive, snapshot);
  while (!verdict) {
    ctx.check();
    snapshot = take_snapshot(ctx, archive, report.deleted, report.abandoned, now_ms);
    verdict = judge(ctx, archive, snapshot);
  }
  report.incomplete = snapshot.undecided;
  for (const auto& object : garbage(ctx, archive, snapshot, *verdict)) {
    if (mode == PruneMode::act) archive.store().remove(ctx, object.key);
    ++report.objects;
    report.bytes += object.bytes;
  }
  return report;
}

}  // namespace kb::archive
