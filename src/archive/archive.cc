#include "archive/archive.h"

#include <algorithm>
#include <random>
#include <set>

#include "archive/document.h"
#include "archive/layout.h"
#include "archive/typed_document.h"
#include "base/checksum.h"
#include "base/cut_text.h"
#include "base/error.h"

namespace kb::archive {
namespace {

std::string random_id() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random());
}

bool older(const std::string& a, const std::string& b) {
  auto time_a = time_of(a), time_b = time_of(b);
  return time_a != time_b ? time_a < time_b : a < b;
}

// Names that are not of the form of a backup id are not ours: they are left alone.
std::set<std::string> ids_of(const std::vector<storage::ObjectInfo>& objects) {
  std::set<std::string> ids;
  for (const auto& object : objects) {
    auto id = backup_id_of(object.key);
    if (id && is_backup_id(*id)) ids.insert(*id);
  }
  return ids;
}

std::vector<std::string> oldest_first(const std::set<std::string>& ids) {
  std::vector<std::string> sorted(ids.begin(), ids.end());
  std::sort(sorted.begin(), sorted.end(), older);
  return sorted;
}

std::set<std::string> minus(std::set<std::string> from, const std::set<std::string>& what) {
  for (const auto& id : what) from.erase(id);
  return from;
}

// A decision that says why a run was abandoned is no longer than this.
constexpr std::size_t abandoned_bytes_max = 2048, reason_bytes_max = 256;

Decision deleted_decision() {
  return {.abandoned = "its set was deleted"};
}

// Without Kubernetes, or without the right to ask for it, the cluster is not known.
bool is_same(const Owner& a, const Owner& b) {
  const bool same_cluster = a.cluster_uid == b.cluster_uid || a.cluster_uid.empty() || b.cluster_uid.empty();
  return same_cluster && a.resource_namespace == b.resource_namespace && a.name == b.name;
}

void refuse_foreign(const Header& header, const Owner& owner, std::string_view adopt_archive,
                    const std::string& location) {
  if (is_same(header.owner, owner) || header.archive_id == adopt_archive) return;
  const auto& theirs = header.owner;
  throw Error(
      ErrorKind::conflict,
      fmt::format("the archive at {} belongs to KafkaBackup {}/{}{}, not to {}/{}", location,
                  theirs.resource_namespace, theirs.name,
                  theirs.cluster_uid == owner.cluster_uid ? "" : " of another Kubernetes cluster",
                  owner.resource_namespace, owner.name),
      fmt::format("give this KafkaBackup a storage prefix or subPath of its own, or, when nobody writes "
                  "there any more, annotate it with kafka.oso.sh/adopt-archive: {}",
                  header.archive_id));
}

}  // namespace

Archive Archive::open_or_create(const Context& ctx, std::shared_ptr<storage::ObjectStore> store,
                                const Owner& owner, std::int64_t now_ms, std::string_view adopt_archive) {
  Header header{.archive_id = random_id(), .owner = owner, .created_at_ms = now_ms};
  header = put_or_read(ctx, *store, "archive", header_key(), header);
  refuse_foreign(header, owner, adopt_archive, store->location());
  return {std::move(store), std::move(header)};
}

std::optional<Archive> Archive::open_own(const Context& ctx, std::shared_ptr<storage::ObjectStore> store,
                                         const Owner& owner, std::string_view adopt_archive) {
  auto header = read_document<Header>(ctx, *store, "archive", header_key());
  if (!header) return std::nullopt;
  refuse_foreign(*header, owner, adopt_archive, store->location());
  return Archive(std::move(store), std::move(*header));
}

Archive Archive::open(const Context& ctx, std::shared_ptr<storage::ObjectStore> store) {
  auto header = read_document<Header>(ctx, *store, "archive", header_key());
  if (!header) fail(ErrorKind::not_found, "there is no archive at {}", store->location());
  return {std::move(store), std::move(*header)};
}

Catalog Archive::catalog(const Context& ctx) const {
  // Tombstones before decisions, decisions before runs: a run that is decided in between is at worst seen as
  // undecided, which protects its objects.
  auto deleted = ids_of(store_->list(ctx, tombstones_prefix()));
  auto decided = ids_of(store_->list(ctx, decisions_prefix()));
  auto begun = ids_of(store_->list(ctx, runs_prefix()));
  begun.merge(ids_of(store_->list(ctx, pins_prefix())));
  return {.decided = oldest_first(minus(decided, deleted)),
          .deleted = oldest_first(deleted),
          .undecided = oldest_first(minus(minus(begun, decided), deleted))};
}

std::vector<Set> Archive::sets(const Context& ctx) const {
  std::vector<Set> sets;
  for (const auto& id : catalog(ctx).decided)
    if (auto found = decision(ctx, id); found && found->set) sets.push_back(std::move(*found->set));
  return sets;
}

std::vector<std::string> Archive::set_ids(const Context& ctx) const {
  const auto deleted = ids_of(store_->list(ctx, tombstones_prefix()));
  std::set<std::string> ids;
  for (const auto& object : store_->list(ctx, decisions_prefix())) {
    auto id = backup_id_of(object.key);
    if (!id || !is_backup_id(*id) || deleted.contains(*id)) continue;
    if (object.bytes <= abandoned_bytes_max) {
      auto found = decision(ctx, *id);
      if (!found || !found->set) continue;
    }
    ids.insert(std::move(*id));
  }
  return oldest_first(ids);
}

std::optional<Set> Archive::newest_set(const Context& ctx) const {
  auto ids = catalog(ctx).decided;
  for (auto id = ids.rbegin(); id != ids.rend(); ++id)
    if (auto found = decision(ctx, *id); found && found->set) return std::move(found->set);
  return std::nullopt;
}

Set Archive::set(const Context& ctx, const std::string& backup_id) const {
  time_of(backup_id);
  std::string why = "is not known";
  if (is_deleted(ctx, backup_id)) {
    why = "was deleted";
  } else if (auto found = decision(ctx, backup_id)) {
    if (found->set) return std::move(*found->set);
    why = fmt::format("was abandoned ({})", found->abandoned);
  } else if (plan(ctx, backup_id)) {
    why = "is not complete";
  }
  std::string newest;
  if (auto other = newest_set(ctx)) newest = other->capture.backup_id;
  throw Error(
      ErrorKind::not_found,
      fmt::format("backup {} {} in the archive at {}", backup_id, why, store_->location()),
      newest.empty() ? "the archive holds no complete backup" : "the newest complete backup is " + newest);
}

std::string Archive::set_sha256(const Context& ctx, const std::string& backup_id) const {
  auto bytes = store_->get(ctx, decision_key(backup_id));
  if (!bytes) fail(ErrorKind::not_found, "object {} is missing", decision_key(backup_id));
  return sha256_hex(*bytes);
}

std::optional<Decision> Archive::decision(const Context& ctx, const std::string& backup_id) const {
  auto found = read_document<Decision>(ctx, *store_, "decision", decision_key(backup_id));
  if (!found && is_deleted(ctx, backup_id)) return deleted_decision();
  if (found && found->set && found->set->capture.backup_id != backup_id)
    fail(ErrorKind::corrupt, "object {} holds the set {}", decision_key(backup_id),
         found->set->capture.backup_id);
  return found;
}

Decision Archive::decide(const Context& ctx, const std::string& backup_id, const Decision& decision) const {
  time_of(backup_id);
  if (decision.abandoned.size() > reason_bytes_max)
    return decide(ctx, backup_id, {.abandoned = cut_text(decision.abandoned, reason_bytes_max)});
  auto key = decision_key(backup_id);
  if (!store_->put_if_absent(ctx, key,
                             seal("decision", key, {.head = schema::write(decision).get_object()}))) {
    auto standing = this->decision(ctx, backup_id);
    if (!standing) fail(ErrorKind::unavailable, "object {} exists and cannot be read", key);
    return std::move(*standing);
  }
  // The name is free again when the set was deleted; a worker that comes so late must not make a second one.
  if (is_deleted(ctx, backup_id)) return deleted_decision();
  return decision;
}

bool Archive::is_deleted(const Context& ctx, const std::string& backup_id) const {
  return store_->head(ctx, tombstone_key(backup_id)).has_value();
}

std::optional<Plan> Archive::plan(const Context& ctx, const std::string& backup_id) const {
  return read_document<Plan>(ctx, *store_, "plan", plan_key(backup_id));
}

Plan Archive::put_plan(const Context& ctx, const Plan& plan) const {
  time_of(plan.capture.backup_id);
  return put_or_read(ctx, *store_, "plan", plan_key(plan.capture.backup_id), plan);
}

bool Archive::pin(const Context& ctx, const std::string& backup_id, const std::string& base_id) const {
  time_of(backup_id);
  auto key = pin_key(backup_id, base_id);
  store_->put_if_absent(ctx, key, seal("pin", key, {}));
  // A pin that came too late stays until the run is decided: another worker may have made it in time.
  return !is_deleted(ctx, base_id);
}

IndexReference Archive::put_index(const Context& ctx, const std::string& backup_id, int level,
                                  const Index& index) const {
  auto body = encode_index(index);
  auto key = index_key(backup_id, sha256_hex(body));
  auto bytes = seal("index", key,
                    {.head = {{"blocks", index.block_count()}, {"objects", index.objects.size()}},
                     .payload = std::move(body)});
  store_->put_if_absent(ctx, key,
                        bytes);  // when it is there already, it is the same: its name is its content
  return {.key = key,
          .sha256 = sha256_hex(bytes),
          .bytes = bytes.size(),
          .level = level,
          .blocks = index.block_count()};
}

Index Archive::load_index(const Context& ctx, const IndexReference& reference) const {
  auto bytes = store_->get(ctx, reference.key);
  if (!bytes) fail(ErrorKind::corrupt, "object {} is missing", reference.key);
  if (sha256_hex(*bytes) != reference.sha256)
    fail(ErrorKind::corrupt, "object {}: SHA-256 is not the one that the set recorded", reference.key);
  try {
    return decode_index(unseal("index", reference.key, *bytes).payload);
  } catch (const Error& error) {
    throw error.while_doing("object " + reference.key);
  }
}

Index Archive::load_index(const Context& ctx, const Set& set) const {
  auto bounds = set.bounds();
  Index whole;
  for (const auto& reference : set.indexes) whole.append(restrict_to(load_index(ctx, reference), bounds));
  return whole;
}

std::map<StreamId, Bounds> Set::bounds() const {
  std::map<StreamId, Bounds> bounds;
  for (const auto& topic : capture.topics)
    for (const auto& p : topic.partitions)
      bounds[{topic.name, p.partition, p.lineage}] = {.start = p.start, .end = p.end};
  return bounds;
}

}  // namespace kb::archive
