#include "storage/guarded.h"

#include <type_traits>

namespace kb::storage {

template <class Operation>
auto GuardedStore::guarded(const Context& ctx, Operation operation) {
  auto permit = breakers_->admit(location_);
  try {
    const auto bounded = ctx.with_timeout(operation_timeout_);
    if constexpr (std::is_void_v<decltype(operation(bounded))>) {
      operation(bounded);
      permit.succeeded();
    } else {
      auto result = operation(bounded);
      permit.succeeded();
      return result;
    }
  } catch (const Error& error) {
    ctx.check();
    permit.failed(error);
    throw;
  }
}

std::optional<ObjectInfo> GuardedStore::head(const Context& ctx, const ObjectKey& key) {
  return guarded(ctx, [&](const Context& bounded) { return store_->head(bounded, key); });
}

std::optional<std::string> GuardedStore::get(const Context& ctx, const ObjectKey& key) {
  return guarded(ctx, [&](const Context& bounded) { return store_->get(bounded, key); });
}

std::shared_ptr<Buffer> GuardedStore::get_range(const Context& ctx, const ObjectKey& key, ByteRange range) {
  return guarded(ctx, [&](const Context& bounded) { return store_->get_range(bounded, key, range); });
}

bool GuardedStore::put_if_absent(const Context& ctx, const ObjectKey& key,
                                 std::span<const std::string_view> parts) {
  return guarded(ctx, [&](const Context& bounded) { return store_->put_if_absent(bounded, key, parts); });
}

void GuardedStore::remove(const Context& ctx, const ObjectKey& key) {
  guarded(ctx, [&](const Context& bounded) { store_->remove(bounded, key); });
}

std::vector<ObjectInfo> GuardedStore::list(const Context& ctx, std::string_view prefix) {
  return guarded(ctx, [&](const Context& bounded) { return store_->list(bounded, prefix); });
}

}  // namespace kb::storage
