// Stores as the rest of the program uses them: a driver in its wrappers.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "base/circuit_breaker.h"
#include "base/retry.h"
#include "storage/object_store.h"
#include "storage/place.h"

namespace kb::storage {

// What a run sets around a driver besides trying again.
struct Guard {
  std::shared_ptr<CircuitBreakers> breakers;
  Duration operation_timeout{};
  Duration reset_timeout{};  // of the breakers: whoever tries again outlasts it
};

// The directory must be there: a missing one is more often an unmounted volume or a misspelt path than a
// wish. Throws not_found, denied, invalid.
std::shared_ptr<ObjectStore> open_filesystem(const Place& place, const RetryPolicy& policy = {},
                                             const std::optional<Guard>& guard = {});

// The same; null when nothing is at `place`. Throws when something on the way, or there, cannot be a
// directory.
std::shared_ptr<ObjectStore> open_filesystem_if_there(const Place& place, const RetryPolicy& policy = {},
                                                      const std::optional<Guard>& guard = {});

// Makes `place` and its parents where missing, durably; for a first backup into a new directory.
void create_directories(const Place& place);

}  // namespace kb::storage
