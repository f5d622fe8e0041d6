#include "storage/open.h"

#include <filesystem>

#include <fmt/format.h>

#include "storage/filesystem.h"
#include "storage/guarded.h"
#include "storage/retrying.h"

namespace kb::storage {

namespace {

std::shared_ptr<ObjectStore> wrapped(std::shared_ptr<ObjectStore> driver, const RetryPolicy& policy,
                                     const std::optional<Guard>& guard) {
  if (!guard) return std::make_shared<RetryingStore>(std::move(driver), policy);
  auto guarded = std::make_shared<GuardedStore>(std::move(driver), guard->breakers, guard->operation_timeout);
  return std::make_shared<RetryingStore>(std::move(guarded), outlasting(policy, guard->reset_timeout));
}

}  // namespace

std::shared_ptr<ObjectStore> open_filesystem(const Place& place, const RetryPolicy& policy,
                                             const std::optional<Guard>& guard) {
  return wrapped(std::make_shared<FilesystemStore>(place), policy, guard);
}

std::shared_ptr<ObjectStore> open_filesystem_if_there(const Place& place, const RetryPolicy& policy,
                                                      const std::optional<Guard>& guard) {
  auto directory = Directory::open_if_there(place);
  if (!directory) return nullptr;
  return wrapped(std::make_shared<FilesystemStore>(std::move(*directory)), policy, guard);
}

// Walks down from the deepest directory that is there, as for the parents of an object.
void create_directories(const Place& place) {
  auto absolute = std::filesystem::absolute(place.trusted).lexically_normal();
  auto existing = absolute;
  std::error_code ignored;
  while (existing.has_relative_path() && !std::filesystem::exists(existing, ignored))
    existing = existing.parent_path();
  const auto missing = absolute.lexically_relative(existing).string();
  const Place rest(existing.string(), fmt::format("{}/{}", missing, place.below));
  if (!rest.below.empty()) Directory(existing.string()).find_or_create(rest.below);
}

}  // namespace kb::storage
