#include "storage/retrying.h"

#include <algorithm>

namespace kb::storage {
namespace {

constexpr std::size_t bytes_per_comparison = 1U << 20;

// Whether the store may have done what it failed to confirm.
bool is_ambiguous(ErrorKind kind) {
  return kind == ErrorKind::unavailable || kind == ErrorKind::timed_out;
}

}  // namespace

std::optional<ObjectInfo> RetryingStore::head(const Context& ctx, const ObjectKey& key) {
  return retry(ctx, policy_, "looking for object " + key, [&] { return store_->head(ctx, key); });
}

std::optional<std::string> RetryingStore::get(const Context& ctx, const ObjectKey& key) {
  return retry(ctx, policy_, "reading object " + key, [&] { return store_->get(ctx, key); });
}

std::shared_ptr<Buffer> RetryingStore::get_range(const Context& ctx, const ObjectKey& key, ByteRange range) {
  return retry(ctx, policy_, "reading object " + key, [&] { return store_->get_range(ctx, key, range); });
}

bool RetryingStore::put_if_absent(const Context& ctx, const ObjectKey& key,
                                  std::span<const std::string_view> parts) {
  bool may_be_ours = false;
  return retry(ctx, policy_, "writing object " + key, [&] {
    try {
      return store_->put_if_absent(ctx, key, parts) || (may_be_ours && has_content(ctx, key, parts));
    } catch (const Error& error) {
      may_be_ours |= is_ambiguous(error.kind());
      throw;
    }
  });
}

void RetryingStore::remove(const Context& ctx, const ObjectKey& key) {
  retry(ctx, policy_, "removing object " + key, [&] { store_->remove(ctx, key); });
}

std::vector<ObjectInfo> RetryingStore::list(const Context& ctx, std::string_view prefix) {
  return retry(ctx, policy_, fmt::format("listing objects {}*", prefix),
               [&] { return store_->list(ctx, prefix); });
}

// Compares piece by piece: a second copy of a large object would not be in anybody's budget.
bool RetryingStore::has_content(const Context& ctx, const ObjectKey& key,
                                std::span<const std::string_view> parts) {
  auto found = store_->head(ctx, key);
  std::uint64_t bytes = 0;
  for (auto part : parts) bytes += part.size();
  if (!found || found->bytes != bytes) return false;
  std::uint64_t offset = 0;
  for (auto part : parts) {
    for (; !part.empty(); part.remove_prefix(std::min(part.size(), bytes_per_comparison))) {
      auto expected = part.substr(0, bytes_per_comparison);
      auto actual = store_->get_range(ctx, key, {offset, expected.size()});
      if (!actual || actual->view() != expected) return false;
      offset += expected.size();
    }
  }
  return true;
}

}  // namespace kb::storage
