// What every object store can do. Objects are immutable: written once, whole, by put_if_absent.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "base/context.h"

namespace kb::storage {

// Slash-separated, relative, without empty, "." or ".." parts; at most 1,024 bytes of [A-Za-z0-9._=+-] and
// '/'.
using ObjectKey = std::string;

struct ObjectInfo {
  ObjectKey key;
  std::uint64_t bytes = 0;
};

struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

// Thread-safe. Failures are Errors (unavailable, timed_out, throttled, denied, corrupt, ...); a missing
// object and an object that already exists are values. Drivers classify errors and never retry: retry is a
// wrapper.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // Where objects are, for messages: "file:/backups/kafka" or "s3://bucket/prefix"; no secrets.
  virtual std::string location() const = 0;
  virtual std::optional<ObjectInfo> head(const Context& ctx, const ObjectKey& key) = 0;
  // The whole object.
  virtual std::optional<std::string> get(const Context& ctx, const ObjectKey& key) = 0;
  // Exactly the range, null when there is no object; a range past the end is corrupt. Nobody else has the
  // buffer.
  virtual std::shared_ptr<Buffer> get_range(const Context& ctx, const ObjectKey& key, ByteRange range) = 0;
  // Creates the object from the concatenated parts, durable and visible whole when it returns true; false
  // when an object of that name exists already (whose it is, the caller decides by content).
  virtual bool put_if_absent(const Context& ctx, const ObjectKey& key,
                             std::span<const std::string_view> parts) = 0;
  bool put_if_absent(const Context& ctx, const ObjectKey& key, std::string_view bytes) {
    return put_if_absent(ctx, key, std::span(&bytes, 1));
  }
  // Gone afterwards; removing what is not there is no error.
  virtual void remove(const Context& ctx, const ObjectKey& key) = 0;
  // All objects whose key starts with `prefix` (any string), in ascending order of key.
  virtual std::vector<ObjectInfo> list(const Context& ctx, std::string_view prefix) = 0;
};

}  // namespace kb::storage
