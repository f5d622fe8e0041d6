// An archive: everything that the runs of one KafkaBackup have stored, in one ObjectStore. Reads and writes
// its documents; knows what is decided, deleted and pinned. docs/archive-format.md is the contract.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "archive/set.h"
#include "storage/object_store.h"

namespace kb::archive {

// The runs of an archive as a listing found them, oldest first.
struct Catalog {
  std::vector<std::string> decided;    // with a decision and no tombstone; sets and abandoned ones
  std::vector<std::string> deleted;    // with a tombstone
  std::vector<std::string> undecided;  // begun (a pin, plan or checkpoint is there), not decided
};

// Thread-safe; cheap to copy.
class Archive {
 public:
  // Creates the archive when there is none. Throws conflict when it belongs to another owner, unless
  // `adopt_archive` is its id.
  static Archive open_or_create(const Context& ctx, std::shared_ptr<storage::ObjectStore> store,
                                const Owner& owner, std::int64_t now_ms, std::string_view adopt_archive = {});
  // Nothing when there is none. Throws conflict when it belongs to another owner, unless `adopt_archive` is
  // its id.
  static std::optional<Archive> open_own(const Context& ctx, std::shared_ptr<storage::ObjectStore> store,
                                         const Owner& owner, std::string_view adopt_archive = {});
  // Throws not_found when there is none.
  static Archive open(const Context& ctx, std::shared_ptr<storage::ObjectStore> store);

  const Header& header() const { return header_; }
  storage::ObjectStore& store() const { return *store_; }

  Catalog catalog(const Context& ctx) const;
  // Sets that can be restored, oldest first.
  std::vector<Set> sets(const Context& ctx) const;
  // Their ids, oldest first. Reads only documents so small that they may be those of abandoned runs.
  std::vector<std::string> set_ids(const Context& ctx) const;
  std::optional<Set> newest_set(const Context& ctx) const;
  // Throws not_found, saying which ids there are, when the run is unknown, undecided, abandoned or deleted.
  Set set(const Context& ctx, const std::string& backup_id) const;
  // SHA-256 of a set's document: what a plan that builds on it refers to.
  std::string set_sha256(const Context& ctx, const std::string& backup_id) const;

  // Empty while the run is undecided. Of a deleted set the decision is given as long as it is there (a run
  // may still build on it), afterwards one that says abandoned because deleted: the id is used up for ever.
  std::optional<Decision> decision(const Context& ctx, const std::string& backup_id) const;
  // Puts the decision, or gives the one that stands: what was there first, or that the set was deleted.
  Decision decide(const Context& ctx, const std::string& backup_id, const Decision& decision) const;
  bool is_deleted(const Context& ctx, const std::string& backup_id) const;

  std::optional<Plan> plan(const Context& ctx, const std::string& backup_id) const;
  // Puts the plan, or gives the one that was there first.
  Plan put_plan(const Context& ctx, const Plan& plan) const;
  // Keeps what the set `base_id` refers to from being deleted until the run is decided. False when the set is
  // deleted already, so that another base has to be taken.
  bool pin(const Context& ctx, const std::string& backup_id, const std::string& base_id) const;

  // Writes an index object and gives the reference to it.
  IndexReference put_index(const Context& ctx, const std::string& backup_id, int level,
                           const Index& index) const;
  // Throws corrupt when the object is missing or not the one referred to. A set that is deleted at the same
  // time can end so: ask is_deleted().
  Index load_index(const Context& ctx, const IndexReference& reference) const;
  // All blocks of a set, restricted to its bounds.
  Index load_index(const Context& ctx, const Set& set) const;

 private:
  Archive(std::shared_ptr<storage::ObjectStore> store, Header header)
      : store_(std::move(store)), header_(std::move(header)) {}

  std::shared_ptr<storage::ObjectStore> store_;
  Header header_;
};

}  // namespace kb::archive
