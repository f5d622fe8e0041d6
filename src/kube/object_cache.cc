#include "kube/reflector.h"

namespace kb::kube {
namespace {

CachedObject unpacked(const PackedText& object) {
  return std::make_shared<const std::string>(object.unpack());
}

}  // namespace

CachedObject ObjectCache::get(const ObjectKey& key) const {
  auto entry = find(key);
  return entry ? unpacked(*entry->object) : nullptr;
}

std::vector<CachedObject> ObjectCache::owned_by(const std::string& owner) const {
  std::lock_guard lock(mutex_);
  std::vector<CachedObject> found;
  if (auto owned = owned_.find(owner); owned != owned_.end())
    for (const auto& key : owned->second) found.push_back(unpacked(*objects_.at(key).object));
  return found;
}

std::vector<ObjectKey> ObjectCache::keys() const {
  std::lock_guard lock(mutex_);
  std::vector<ObjectKey> keys;
  keys.reserve(objects_.size());
  for (const auto& [key, entry] : objects_) keys.push_back(key);
  return keys;
}

std::size_t ObjectCache::size() const {
  std::lock_guard lock(mutex_);
  return objects_.size();
}

std::optional<ObjectCache::Entry> ObjectCache::find(const ObjectKey& key) const {
  std::lock_guard lock(mutex_);
  auto found = objects_.find(key);
  return found == objects_.end() ? std::nullopt : std::optional(found->second);
}

void ObjectCache::put(const ObjectKey& key, Entry entry) {
  std::lock_guard lock(mutex_);
  auto& place = objects_[key];
  disown(key, place.owner);
  if (!entry.owner.empty()) owned_[entry.owner].insert(key);
  place = std::move(entry);
}

std::optional<ObjectCache::Entry> ObjectCache::remove(const ObjectKey& key) {
  std::lock_guard lock(mutex_);
  auto found = objects_.find(key);
  if (found == objects_.end()) return std::nullopt;
  auto entry = std::move(found->second);
  disown(key, entry.owner);
  objects_.erase(found);
  return entry;
}

void ObjectCache::disown(const ObjectKey& key, const std::string& owner) {
  auto owned = owned_.find(owner);
  if (owned == owned_.end()) return;
  owned->second.erase(key);
  if (owned->second.empty()) owned_.erase(owned);
}

}  // namespace kb::kube
