// A store that is left alone when it keeps failing, and whose operations have a time limit: wraps another
// one. Thread-safe.
#pragma once
#include <memory>
#include <string>

#include "base/circuit_breaker.h"
#include "storage/object_store.h"

namespace kb::storage {

class GuardedStore : public ObjectStore {
 public:
  // The store's circuit breaker is the one of its location.
  GuardedStore(std::shared_ptr<ObjectStore> store, std::shared_ptr<CircuitBreakers> breakers,
               Duration operation_timeout)
      : store_(std::move(store)),
        location_(store_->location()),
        breakers_(std::move(breakers)),
        operation_timeout_(operation_timeout) {}

  std::string location() const override { return location_; }
  std::optional<ObjectInfo> head(const Context& ctx, const ObjectKey& key) override;
  std::optional<std::string> get(const Context& ctx, const ObjectKey& key) override;
  std::shared_ptr<Buffer> get_range(const Context& ctx, const ObjectKey& key, ByteRange range) override;
  using ObjectStore::put_if_absent;
  bool put_if_absent(const Context& ctx, const ObjectKey& key,
                     std::span<const std::string_view> parts) override;
  void remove(const Context& ctx, const ObjectKey& key) override;
  std::vector<ObjectInfo> list(const Context& ctx, std::string_view prefix) override;

 private:
  template <class Operation>
  auto guarded(const Context& ctx, Operation operation);

  const std::shared_ptr<ObjectStore> store_;
  const std::string location_;
  const std::shared_ptr<CircuitBreakers> breakers_;
  const Duration operation_timeout_;
};

}  // namespace kb::storage
