// Whether what an archive says it holds is there and whole. Reads, changes nothing. What is wrong is a value;
// thrown is only what keeps it from being looked at.
#pragma once
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "archive/archive.h"
#include "base/context.h"
#include "engine/progress_counters.h"

namespace kb::engine {

enum class VerifyDepth {
  quick,  // every document is read; every segment is there and has its size
  deep    // every segment is read whole, every batch in it is checked
};

struct VerifyRequest {
  std::vector<std::string> backup_ids;  // empty: all sets
  VerifyDepth depth = VerifyDepth::quick;
  std::size_t memory_bytes_max = 256 * 1024 * 1024;  // of segments in memory at a time; one is always read
};

struct VerifyProblem {
  std::string object;              // key of the damaged or missing object
  std::string topic;               // empty when it is not about one partition
  std::int32_t partition = -1;     // -1 likewise
  std::int64_t first_offset = -1;  // the offsets that are in doubt, both included; -1 likewise
  std::int64_t last_offset = -1;
  std::string what;
  auto operator<=>(const VerifyProblem&) const = default;
  void fields(auto& f) {
    f("object", object, "Name of the object.");
    f("topic", topic, "Topic whose records are in doubt.");
    f("partition", partition, "Its partition; -1 when it is not about one.");
    f("firstOffset", first_offset, "First offset in doubt; -1 likewise.");
    f("lastOffset", last_offset, "Last offset in doubt; -1 likewise.");
    f("what", what, "What is wrong.");
  }
};

struct VerifiedSet {
  std::string backup_id;
  bool sound = true;
  void fields(auto& f) {
    f("backupId", backup_id, "The backup.");
    f("sound", sound, "Whether nothing that it needs is damaged or missing.");
  }
};

struct VerifyReport {
  static constexpr std::size_t problems_max = 1000;  // that are listed

  std::vector<VerifiedSet> sets;        // oldest first
  std::uint64_t objects = 0;            // segments and indexes that the sets need
  std::uint64_t bytes = 0;              // of those
  std::uint64_t blocks = 0;             // in the segments
  std::uint64_t batches = 0;            // checked; 0 when quick
  std::uint64_t records = 0;            // in those
  std::vector<VerifyProblem> problems;  // sorted
  std::uint64_t problems_total = 0;
  std::vector<std::string> notes;  // nothing wrong, but good to know
  void fields(auto& f) {
    f("backups", sets, "Backups that were looked at.");
    f("objects", objects, "Segments and indexes that they need.");
    f("bytes", bytes, "Their size.");
    f("blocks", blocks, "Blocks in the segments.");
    f("batches", batches, "Record batches checked.");
    f("records", records, "Records in them.");
    f("problems", problems, "What is wrong.");
    f("problemsTotal", problems_total, "How many problems there are, listed or not.");
    f("notes", notes, "What is not wrong, but good to know.");
  }
};

// Throws not_found for an id that is not that of a set, and what the store throws but for `corrupt`.
// Memory: the indexes of two sets, 56 bytes a block, memory_bytes_max.
VerifyReport verify(const Context& ctx, const archive::Archive& archive, const VerifyRequest& request,
                    ProgressCounters& progress);

}  // namespace kb::engine
