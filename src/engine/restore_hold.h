// The set that a restore reads, pinned as long as it does, so that neither the retention of a backup that
// runs meanwhile nor a prune takes it away.
#pragma once
#include <functional>
#include <optional>
#include <string>

#include "archive/archive.h"
#include "archive/restore_pin.h"
#include "engine/restore.h"

namespace kb::engine {

// What the same restore has in common, whoever runs it and as which shard; another target cluster is another
// restore. Pure.
std::string restore_identity(const RestoreRequest& request, const std::string& backup_id);

// Not thread-safe.
class RestoreHold {
 public:
  // Chooses the set that the spec names, or the newest, and pins it, but for a dry run. Where the archive
  // cannot be written it only says so. Throws not_found when there is no such set.
  RestoreHold(const Context& ctx, const RestoreRequest& request, const archive::Archive& archive);

  const archive::Set& set() const { return set_; }
  // From now on an error does not let go of the set: the restore can be resumed.
  void begin() { begun_ = true; }
  // Runs `work`, renewing the pin meanwhile. When it fails before begin(), the pin is withdrawn.
  void during(const Context& ctx, const std::function<void()>& work);
  // The restore is complete.
  void release(const Context& ctx);

 private:
  archive::Set choose(const Context& ctx, const RestoreRequest& request);
  void renew_now_and_then(const Context& ctx) const;
  void quietly(const Context& ctx, void (archive::RestorePin::*let_go)(const Context&) const) const;

  const archive::Archive archive_;
  std::optional<archive::RestorePin> pin_;  // empty in a dry run
  const archive::Set set_;
  bool begun_ = false;
};

}  // namespace kb::engine
