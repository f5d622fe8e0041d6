#include "engine/open_runs.h"

#include "archive/open_run.h"
#include "base/log.h"
#include "base/unix_time.h"
#include "engine/backup_run.h"

namespace kb::engine {

void settle_open_runs(const Context& ctx, const archive::Archive& archive) {
  for (const auto& id : archive.catalog(ctx).undecided) {
    const auto opening = archive::opening_of(ctx, archive, id);
    if (!opening) continue;
    const auto plan = archive::close_run(ctx, archive, *opening);
    if (!plan) {
      abandon(ctx, archive, id, "it was stopped before anything was stored");
      continue;
    }
    if (archive::commit(ctx, archive, *plan, unix_now_ms()).set)
      LOG_INFO("restore point {}: what an interrupted continuous backup had stored", id);
  }
}

}  // namespace kb::engine
