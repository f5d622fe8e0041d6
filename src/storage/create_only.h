// Creates a file whole and durable, only when nothing has its name: written under another name, synced, then
// published by link(2), which fails when the name exists; where a file system has no hard links (Azure Files
// over SMB, FAT), by renameat2(2) with RENAME_NOREPLACE. A file system with neither is refused: O_EXCL would
// show a half-written object to other workers (docs/decisions/0001-filesystem-create-only.md). Thread-safe.
#pragma once
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/context.h"
#include "storage/directory.h"

namespace kb::storage {

// Where unfinished files are; never listed as objects.
inline constexpr std::string_view unfinished_directory = ".tmp";

class CreateOnlyWriter {
 public:
  // `root` outlives the writer. Touches nothing yet: a store that is only read may be read-only.
  explicit CreateOnlyWriter(const Directory& root) : root_(root) {}

  // True when `key` is now the concatenation of `parts`, durable; false when there was such a file already
  // (durable too). When syncing the content fails nothing appears. When syncing the directory fails the
  // outcome is open: the file stays, because others may have seen it.
  bool create(const Context& ctx, const std::string& key, std::span<const std::string_view> parts);

 private:
  enum class Publish { link, rename };
  class Unfinished;

  // At the first write: makes the directory of unfinished files, sweeps what crashed runs left there, and
  // finds out by trying how a file can be published.
  Publish prepare();
  Publish probe() const;
  void sweep() const;
  std::optional<bool> publish(Publish how, Unfinished& file, int directory, std::string_view name) const;

  const Directory& root_;
  std::mutex mutex_;
  // written once under mutex_ by prepare(), constant afterwards
  std::optional<Fd> unfinished_;
  std::optional<Publish> how_;
};

}  // namespace kb::storage
