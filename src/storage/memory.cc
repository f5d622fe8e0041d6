#include "storage/memory.h"

#include "base/error.h"
#include "storage/object_key.h"

namespace kb::storage {

template <class Act>
auto MemoryStore::hooked(const Context& ctx, StoreOperation operation, Act act) {
  ctx.check();
  if (hooks_.before) hooks_.before(operation);
  auto outcome = [&] {
    std::lock_guard lock(mutex_);
    return act();
  }();
  if (hooks_.after) hooks_.after(operation);
  return outcome;
}

std::optional<ObjectInfo> MemoryStore::head(const Context& ctx, const ObjectKey& key) {
  check_key(key);
  return hooked(ctx, {StoreOperation::Kind::head, key}, [&]() -> std::optional<ObjectInfo> {
    auto found = objects_.find(key);
    if (found == objects_.end()) return std::nullopt;
    return ObjectInfo{key, found->second.size()};
  });
}

std::optional<std::string> MemoryStore::get(const Context& ctx, const ObjectKey& key) {
  check_key(key);
  return hooked(ctx, {StoreOperation::Kind::get, key}, [&]() -> std::optional<std::string> {
    auto found = objects_.find(key);
    if (found == objects_.end()) return std::nullopt;
    return found->second;
  });
}

std::shared_ptr<Buffer> MemoryStore::get_range(const Context& ctx, const ObjectKey& key, ByteRange range) {
  check_key(key);
  return hooked(ctx, {StoreOperation::Kind::get_range, key}, [&]() -> std::shared_ptr<Buffer> {
    auto found = objects_.find(key);
    if (found == objects_.end()) return nullptr;
    check_range(key, range, found->second.size());
    auto buffer = buffers_.take(range.length);
    found->second.copy(buffer->writable().data(), range.length, range.offset);
    return buffer;
  });
}

bool MemoryStore::put_if_absent(const Context& ctx, const ObjectKey& key,
                                std::span<const std::string_view> parts) {
  check_key(key);
  return hooked(ctx, {StoreOperation::Kind::put_if_absent, key}, [&] {
    std::string bytes;
    for (auto part : parts) bytes += part;
    return objects_.try_emplace(key, std::move(bytes)).second;
  });
}

void MemoryStore::remove(const Context& ctx, const ObjectKey& key) {
  check_key(key);
  hooked(ctx, {StoreOperation::Kind::remove, key}, [&] { return objects_.erase(key); });
}

std::vector<ObjectInfo> MemoryStore::list(const Context& ctx, std::string_view prefix) {
  return hooked(ctx, {StoreOperation::Kind::list, prefix}, [&] {
    std::vector<ObjectInfo> infos;
    for (auto it = objects_.lower_bound(prefix); it != objects_.end() && it->first.starts_with(prefix); ++it)
      infos.push_back({it->first, it->second.size()});
    return infos;
  });
}

void MemoryStore::overwrite(const ObjectKey& key, std::string bytes) {
  std::lock_guard lock(mutex_);
  objects_.insert_or_assign(key, std::move(bytes));
}

}  // namespace kb::storage
