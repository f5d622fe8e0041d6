// A store that tries again: wraps another one and retries what the error table calls retryable. Thread-safe.
#pragma once
#include "base/retry.h"
#include "storage/object_store.h"

namespace kb::storage {

// When an answer to put_if_absent was lost and the next attempt finds an object of that name, its content
// decides: the same bytes are taken for ours. So where a name must have exactly one winner, the content must
// tell the writers apart (a random id of the writer in it).
class RetryingStore : public ObjectStore {
 public:
  RetryingStore(std::shared_ptr<ObjectStore> store, const RetryPolicy& policy)
      : store_(std::move(store)), policy_(policy) {}

  std::string location() const override { return store_->location(); }
  std::optional<ObjectInfo> head(const Context& ctx, const ObjectKey& key) override;
  std::optional<std::string> get(const Context& ctx, const ObjectKey& key) override;
  std::shared_ptr<Buffer> get_range(const Context& ctx, const ObjectKey& key, ByteRange range) override;
  using ObjectStore::put_if_absent;
  bool put_if_absent(const Context& ctx, const ObjectKey& key,
                     std::span<const std::string_view> parts) override;
  void remove(const Context& ctx, const ObjectKey& key) override;
  std::vector<ObjectInfo> list(const Context& ctx, std::string_view prefix) override;

 private:
  bool has_content(const Context& ctx, const ObjectKey& key, std::span<const std::string_view> parts);

  const std::shared_ptr<ObjectStore> store_;
  const RetryPolicy policy_;
};

}  // namespace kb::storage
