// Objects as files below one directory: key "a/b" is the file a/b. Symbolic links below the root, and on the
// way to it below what is trusted (storage/place.h), are not followed.
//
// Kinds of errors: see storage/system_error.h; a full disk, a quota or missing rights are `denied` and not
// retried, a failed read, write or sync of the medium is `corrupt`. Nothing half-written is ever visible.
//
// What a file system cannot do and other stores can: "a" and "a/b" cannot both be objects (conflict); a part
// of a key has at most 255 bytes (invalid); a first part that begins with "." or is "lost+found" is not a key
// (invalid), and what has such names is not listed: unfinished files, snapshots, what mkfs made. Removing is
// not synced: after a power loss a removed object may be there again. SIGXFSZ must be ignored by the program,
// otherwise a limit of the file size kills it instead of failing a write.
#pragma once
#include "storage/create_only.h"
#include "storage/directory.h"
#include "storage/object_store.h"

namespace kb::storage {

// Thread-safe; any number of processes may use one directory at a time.
class FilesystemStore : public ObjectStore {
 public:
  // Throws not_found when there is no such directory. Writes nothing before the first put_if_absent.
  explicit FilesystemStore(const Place& place);
  explicit FilesystemStore(Directory root) : root_(std::move(root)), writer_(root_) {}

  std::string location() const override { return "file:" + root_.path(); }
  std::optional<ObjectInfo> head(const Context& ctx, const ObjectKey& key) override;
  std::optional<std::string> get(const Context& ctx, const ObjectKey& key) override;
  std::shared_ptr<Buffer> get_range(const Context& ctx, const ObjectKey& key, ByteRange range) override;
  using ObjectStore::put_if_absent;
  bool put_if_absent(const Context& ctx, const ObjectKey& key,
                     std::span<const std::string_view> parts) override;
  void remove(const Context& ctx, const ObjectKey& key) override;
  std::vector<ObjectInfo> list(const Context& ctx, std::string_view prefix) override;

 private:
  struct OpenObject;

  std::optional<OpenObject> open(const ObjectKey& key) const;
  void read(const Context& ctx, const ObjectKey& key, const OpenObject& object, std::uint64_t offset,
            std::span<char> into, std::size_t bytes_min) const;
  std::shared_ptr<Buffer> read_direct(const Context& ctx, const ObjectKey& key, const OpenObject& object,
                                      ByteRange range);
  void list_directory(const Context& ctx, const std::string& directory, std::string_view name_prefix,
                      std::vector<ObjectInfo>& objects, std::vector<std::string>& directories) const;

  const Directory root_;
  CreateOnlyWriter writer_;
  BufferPool buffers_;
};

}  // namespace kb::storage
