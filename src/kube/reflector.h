// A copy of all objects of a type that a selector matches, kept up to date by list and watch.
// https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kube/api.h"
#include "kube/packed_text.h"

namespace kb::kube {

// An object as it was last seen, as JSON text, without managedFields and whatever else `trim` took away. The
// cache keeps it packed (a parsed one takes twenty times the memory); each call makes the text anew.
using CachedObject = std::shared_ptr<const std::string>;

// Thread-safe.
class ObjectCache {
 public:
  CachedObject get(const ObjectKey& key) const;  // null when there is none
  // Those whose owner, as ReflectorSettings::owner gave it, is `owner`; in the order of their names.
  std::vector<CachedObject> owned_by(const std::string& owner) const;
  std::vector<ObjectKey> keys() const;
  std::size_t size() const;

 private:
  friend class Reflector;
  struct Entry {
    std::shared_ptr<const PackedText> object;
    std::string resource_version, owner;
  };
  std::optional<Entry> find(const ObjectKey& key) const;
  void put(const ObjectKey& key, Entry entry);
  std::optional<Entry> remove(const ObjectKey& key);
  void disown(const ObjectKey& key, const std::string& owner);  // mutex_ is held
  mutable std::mutex mutex_;
  std::map<ObjectKey, Entry> objects_;                // guarded by mutex_
  std::map<std::string, std::set<ObjectKey>> owned_;  // guarded by mutex_
};

struct ReflectorSettings {
  ResourceType type;
  std::string resource_namespace;  // empty: all
  std::string label_selector;
  std::size_t page_items = 250;  // of a list; halved while an answer is too long
  std::function<void(json::value&)> trim = [](json::value&) {};  // takes away what is not needed
  std::function<std::string(const json::value&)> owner = [](const json::value&) { return std::string(); };
  // Called for each object that came, changed or went, with its owner; must not block. `object` is null when
  // it went.
  std::function<void(const ObjectKey&, const std::string& owner, const json::value* object)> on_change;
};

// run() lists, watches (with bookmarks), and after an interruption watches on from the last resourceVersion;
// when the server has forgotten it (410) it lists again and reports what changed meanwhile, deletions too.
// Errors are logged and tried again with backoff, for ever. An object that cannot be read is logged and left
// out; it never stops the others. When the owner of an object changes, on_change is called for the old one
// too. Thread-safe, but run() is for one thread.
class Reflector {
 public:
  Reflector(Api& api, ReflectorSettings settings, ObjectCache& cache);
  void run(const Context& ctx);  // until the context ends; throws cancelled
  bool synced() const;           // whether the first list is complete

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace kb::kube
