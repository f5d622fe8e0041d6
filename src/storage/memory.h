// A store in memory for tests of what stands above: hooks let a test act, block or fail at every call.
#pragma once
#include <functional>
#include <map>
#include <mutex>

#include "storage/object_store.h"

namespace kb::storage {

struct StoreOperation {
  enum class Kind { head, get, get_range, put_if_absent, remove, list };
  Kind kind;
  std::string_view key;  // or the prefix of a list
};

// Called without any lock. What `before` throws happens instead of the operation; what `after` throws hides
// the outcome of one that has happened, as a lost answer does.
struct StoreHooks {
  std::function<void(const StoreOperation&)> before;
  std::function<void(const StoreOperation&)> after;
};

class MemoryStore : public ObjectStore {
 public:
  explicit MemoryStore(StoreHooks hooks = {}) : hooks_(std::move(hooks)) {}

  std::string location() const override { return "memory:"; }
  std::optional<ObjectInfo> head(const Context& ctx, const ObjectKey& key) override;
  std::optional<std::string> get(const Context& ctx, const ObjectKey& key) override;
  std::shared_ptr<Buffer> get_range(const Context& ctx, const ObjectKey& key, ByteRange range) override;
  using ObjectStore::put_if_absent;
  bool put_if_absent(const Context& ctx, const ObjectKey& key,
                     std::span<const std::string_view> parts) override;
  void remove(const Context& ctx, const ObjectKey& key) override;
  std::vector<ObjectInfo> list(const Context& ctx, std::string_view prefix) override;

  // Damage for tests: replaces the bytes of an object, or makes one, past all rules.
  void overwrite(const ObjectKey& key, std::string bytes);

 private:
  template <class Act>
  auto hooked(const Context& ctx, StoreOperation operation, Act act);

  const StoreHooks hooks_;
  BufferPool buffers_;
  std::mutex mutex_;
  std::map<ObjectKey, std::string, std::less<>> objects_;  // guarded by mutex_
};

}  // namespace kb::storage
