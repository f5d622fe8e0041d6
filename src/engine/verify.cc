#include "engine/verify.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "archive/layout.h"
#include "base/byte_budget.h"
#include "base/checksum.h"
#include "base/error.h"
#include "base/task_group.h"
#include "engine/verify_segment.h"

namespace kb::engine {
namespace {

using archive::Archive;
using archive::Index;
using archive::Set;

constexpr std::size_t readers = 3;

// A damaged object is a finding, everything else keeps us from looking.
bool is_finding(const Error& error) {
  return error.kind() == ErrorKind::corrupt || error.kind() == ErrorKind::invalid;
}

// Sorted, each once, bounded. Not thread-safe.
class Problems {
 public:
  void add(VerifyProblem problem) {
    bad_objects_.insert(problem.object);
    if (kept_.size() < VerifyReport::problems_max)
      total_ += kept_.insert(std::move(problem)).second ? 1 : 0;
    else if (!kept_.contains(problem))
      ++total_;
  }
  void add(std::vector<VerifyProblem> problems) {
    for (auto& problem : problems) add(std::move(problem));
  }
  bool is_bad(const std::string& object) const { return bad_objects_.contains(object); }
  bool empty() const { return kept_.empty(); }
  void move_to(VerifyReport& report) {
    report.problems.assign(kept_.begin(), kept_.end());
    report.problems_total = total_;
  }

 private:
  std::set<VerifyProblem> kept_;
  std::set<std::string> bad_objects_;
  std::uint64_t total_ = 0;
};

std::map<std::string, std::uint64_t> sizes_below(const Context& ctx, const Archive& archive,
                                                 const std::string& prefix) {
  std::map<std::string, std::uint64_t> sizes;
  for (auto& object : archive.store().list(ctx, prefix)) sizes.emplace(std::move(object.key), object.bytes);
  return sizes;
}

class Verification {
 public:
  Verification(const Context& ctx, const Archive& archive, const VerifyRequest& request,
               ProgressCounters& progress)
      : ctx_(ctx), archive_(archive), request_(request), progress_(progress) {}

  VerifyReport run() {
    catalog_ = archive_.catalog(ctx_);
    segment_bytes_ = sizes_below(ctx_, archive_, archive::segments_prefix());
    index_bytes_ = sizes_below(ctx_, archive_, archive::indexes_prefix());
    read_sets(chosen_ids());
    for (const auto& set : sets_) check_set(set);
    look_up_segments();
    if (request_.depth == VerifyDepth::deep) read_segments();
    if (!problems_.empty()) judge_sets();
    if (request_.backup_ids.empty()) note_leftovers();
    problems_.move_to(report_);
    return std::move(report_);
  }

 private:
  std::vector<std::string> chosen_ids() const {
    if (request_.backup_ids.empty()) return catalog_.decided;
    std::vector<std::string> ids;
    for (const auto& id : catalog_.decided)
      if (std::count(request_.backup_ids.begin(), request_.backup_ids.end(), id) > 0) ids.push_back(id);
    for (const auto& id : request_.backup_ids)
      if (std::count(ids.begin(), ids.end(), id) == 0) archive_.set(ctx_, id);  // throws, and says why
    return ids;
  }

  void read_sets(const std::vector<std::string>& ids) {
    for (const auto& id : ids) {
      try {
        auto decision = archive_.decision(ctx_, id);
        if (decision && decision->set) {
          sets_.push_back(std::move(*decision->set));
          report_.sets.push_back({.backup_id = id});
        } else if (!request_.backup_ids.empty()) {
          archive_.set(ctx_, id);  // throws, and says why
        }
      } catch (const Error& error) {
        if (!is_finding(error)) throw;
        problems_.add({.object = archive::decision_key(id), .what = error.what()});
        report_.sets.push_back({.backup_id = id, .sound = false});
      }
    }
  }

  void check_set(const Set& set) {
    const auto& capture = set.capture;
    const auto key = archive::decision_key(capture.backup_id);
    if (capture.archive_id != archive_.header().archive_id)
      problems_.add({.object = key, .what = "is the set of another archive: " + capture.archive_id});
    check_base(capture);
    const auto bounds = set.bounds();
    Index whole;
    std::map<std::string, Index> loaded;
    for (const auto& reference : set.indexes) {
      auto index = load(reference);
      if (!index) continue;
      auto reached = archive::restrict_to(*index, bounds);
      // An index that several sets share is looked at for the oldest, which reaches most of it.
      if (indexes_seen_.insert(reference.sha256).second) expect(reached);
      whole.append(reached);
      loaded.insert_or_assign(reference.sha256, std::move(*index));
    }
    loaded_ = std::move(loaded);
    check_coverage(key, bounds, whole);
  }

  // Of a base that was deleted since, nothing is left to compare.
  void check_base(const archive::Capture& capture) {
    if (capture.base.empty()) return;
    const auto key = archive::decision_key(capture.base);
    auto base = archive_.store().get(ctx_, key);
    if (base && sha256_hex(*base) != capture.base_sha256)
      problems_.add(
          {.object = key,
           .what = fmt::format("SHA-256 is not the one that backup {} recorded", capture.backup_id)});
  }

  std::optional<Index> load(const archive::IndexReference& reference) {
    if (auto it = loaded_.find(reference.sha256); it != loaded_.end()) return it->second;
    auto size = index_bytes_.find(reference.key);
    auto refuse = [&](std::string what) {
      problems_.add({.object = reference.key, .what = std::move(what)});
      return std::nullopt;
    };
    if (size == index_bytes_.end()) return refuse("is missing");
    if (size->second != reference.bytes)
      return refuse(fmt::format("has {} bytes instead of {}", size->second, reference.bytes));
    try {
      auto index = archive_.load_index(ctx_, reference);
      if (!indexes_seen_.contains(reference.sha256)) {
        ++report_.objects;
        report_.bytes += reference.bytes;
      }
      return index;
    } catch (const Error& error) {
      if (!is_finding(error)) throw;
      return refuse(error.what());
    }
  }

  void expect(const Index& index) {
    for (const auto& [stream, blocks] : index.streams) {
      const auto* kept = &*streams_.insert(stream).first;
      for (const auto& block : blocks) {
        if (block.object == archive::Block::no_object) continue;
        const auto& entry = index.objects.at(block.object);
        auto& segment = segments_[entry.key];
        if (segment.blocks.empty()) segment.entry = entry;
        if (segment.entry != entry)
          problems_.add({.object = entry.key, .what = "two indexes list it with different length or CRC"});
        segment.blocks.push_back(expected_block(*kept, block));
      }
    }
  }

  void check_coverage(const std::string& key, const std::map<archive::StreamId, archive::Bounds>& bounds,
                      const Index& whole) {
    for (const auto& [stream, reach] : bounds) {
      auto it = whole.streams.find(stream);
      auto blocks = it == whole.streams.end() ? std::vector<archive::Block>{} : it->second;
      auto problem = [&, id = stream](std::int64_t first, std::int64_t next, std::string what) {
        problems_.add({key, id.topic, id.partition, first, next - 1, std::move(what)});
      };
      if (auto at = archive::first_uncovered(blocks, reach); at < reach.end)
        problem(at, reach.end, "no index that could be read lists these offsets");
      for (std::size_t i = 0; i < blocks.size(); ++i) {
        const auto& block = blocks[i];
        if (i > 0 && block.first_offset < blocks[i - 1].next_offset)
          problem(block.first_offset, blocks[i - 1].next_offset, "two blocks hold these offsets");
        SegmentFindings none;
        if (block.object != archive::Block::no_object) continue;
        if (auto wrong = check_block(block, {}, none); !wrong.empty())
          problem(block.first_offset, block.next_offset, std::move(wrong));
      }
    }
  }

  void look_up_segments() {
    report_.objects += segments_.size();
    for (const auto& [key, segment] : segments_) {
      report_.bytes += segment.entry.bytes;
      auto size = segment_bytes_.find(key);
      if (size == segment_bytes_.end())
        problems_.add(unusable_segment(segment, "is missing"));
      else if (size->second != segment.entry.bytes)
        problems_.add(unusable_segment(
            segment, fmt::format("has {} bytes instead of {}", size->second, segment.entry.bytes)));
      if (request_.depth == VerifyDepth::quick) report_.blocks += segment.blocks.size();
    }
  }

  void read_segments() {
    std::vector<const ExpectedSegment*> present;
    for (const auto& [key, segment] : segments_)
      if (segment_bytes_.contains(key)) present.push_back(&segment);
    for (const auto* segment : present) progress_.bytes_total += segment_bytes_.at(segment->entry.key);
    ByteBudget budget(request_.memory_bytes_max);
    std::atomic<std::size_t> next = 0;
    TaskGroup group(ctx_);
    for (std::size_t i = 0; i < readers; ++i)
      group.spawn([&](const Context& ctx) {
        for (auto at = next++; at < present.size(); at = next++) read_segment(ctx, budget, *present[at]);
      });
    group.wait();
  }

  // Runs on the readers' threads.
  void read_segment(const Context& ctx, ByteBudget& budget, const ExpectedSegment& segment) {
    ctx.check();
    const auto& key = segment.entry.key;
    const auto bytes = segment_bytes_.at(key);
    auto lease = budget.acquire(ctx, bytes);
    SegmentFindings findings;
    try {
      auto object = archive_.store().get(ctx, key);
      if (object)
        findings = check_segment(segment, *object);
      else
        findings.problems = unusable_segment(segment, "is missing");
    } catch (const Error& error) {
      if (!is_finding(error)) throw;
      findings.problems = unusable_segment(segment, error.what());
    }
    progress_.bytes_done += bytes;
    progress_.records_done += findings.records;
    std::lock_guard lock(mutex_);
    report_.blocks += findings.blocks;
    report_.batches += findings.batches;
    report_.records += findings.records;
    problems_.add(std::move(findings.problems));
  }

  // Which sets need something that is bad.
  void judge_sets() {
    std::map<std::string, bool> sound;
    for (const auto& set : sets_) sound[set.capture.backup_id] = is_sound(set);
    for (auto& set : report_.sets)
      if (auto it = sound.find(set.backup_id); it != sound.end()) set.sound = it->second;
  }

  bool is_sound(const Set& set) {
    if (problems_.is_bad(archive::decision_key(set.capture.backup_id))) return false;
    const auto bounds = set.bounds();
    std::map<std::string, Index> loaded;
    for (const auto& reference : set.indexes) {
      if (problems_.is_bad(reference.key)) return false;
      auto index = load(reference);
      if (!index) return false;
      for (const auto& object : archive::restrict_to(*index, bounds).objects)
        if (problems_.is_bad(object.key)) return false;
      loaded.insert_or_assign(reference.sha256, std::move(*index));
    }
    loaded_ = std::move(loaded);
    return true;
  }

  void note_leftovers() {
    for (const auto& id : catalog_.undecided)
      report_.notes.push_back(fmt::format("run {} was not finished", id));
    std::uint64_t objects = 0, bytes = 0;
    const std::set<std::string> undecided(catalog_.undecided.begin(), catalog_.undecided.end());
    for (const auto& [key, size] : segment_bytes_) {
      auto id = archive::backup_id_of(key);
      if (segments_.contains(key) || (id && undecided.contains(*id))) continue;
      ++objects;
      bytes += size;
    }
    if (objects > 0)
      report_.notes.push_back(fmt::format(
          "{} segments with {} bytes are not needed by any backup; prune removes them", objects, bytes));
  }

  const Context& ctx_;
  const Archive& archive_;
  const VerifyRequest& request_;
  ProgressCounters& progress_;
  archive::Catalog catalog_;
  std::map<std::string, std::uint64_t> segment_bytes_, index_bytes_;  // what is there
  std::vector<Set> sets_;
  std::set<archive::StreamId> streams_;              // that expected blocks point to
  std::map<std::string, ExpectedSegment> segments_;  // by key
  std::set<std::string> indexes_seen_;               // SHA-256
  std::map<std::string, Index> loaded_;              // of the last set, by SHA-256
  std::mutex mutex_;
  // guarded by mutex_ while readers run
  VerifyReport report_;
  Problems problems_;
};

// A set that is deleted meanwhile takes its objects along: that is no damage.
bool lost_a_set(const Context& ctx, const Archive& archive, const VerifyReport& report) {
  return std::any_of(report.sets.begin(), report.sets.end(),
                     [&](const auto& set) { return archive.is_deleted(ctx, set.backup_id); });
}

void reset(ProgressCounters& progress) {
  progress.bytes_total = progress.bytes_done = progress.records_done = 0;
}

}  // namespace

VerifyReport verify(const Context& ctx, const Archive& archive, const VerifyRequest& request,
                    ProgressCounters& progress) {
  for (;;) {
    ctx.check();
    reset(progress);
    auto report = Verification(ctx, archive, request, progress).run();
    if (report.problems.empty() || !lost_a_set(ctx, archive, report)) return report;
  }
}

}  // namespace kb::engine
