#include "engine/restore_hold.h"

#include <chrono>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "archive/layout.h"
#include "base/error.h"
#include "base/log.h"
#include "base/task_group.h"
#include "schema/writer.h"

namespace kb::engine {
namespace {

constexpr auto renew_every = std::chrono::hours(6);

archive::Set newest_set(const Context& ctx, const archive::Archive& archive) {
  if (auto newest = archive.newest_set(ctx)) return std::move(*newest);
  throw Error(ErrorKind::not_found,
              fmt::format("the archive at {} holds no complete backup", archive.store().location()),
              "kafka-backup list shows what it holds");
}

// A set that is deleted is given too, as long as it is there: an earlier pin may have kept it.
archive::Set named_set(const Context& ctx, const archive::Archive& archive, const std::string& backup_id) {
  archive::time_of(backup_id);
  auto decision = archive.decision(ctx, backup_id);
  return decision && decision->set ? std::move(*decision->set) : archive.set(ctx, backup_id);
}

}  // namespace

std::string restore_identity(const RestoreRequest& request, const std::string& backup_id) {
  boost::json::object identity{{"namespace", request.restore_namespace},
                               {"name", request.restore_name},
                               {"backup", backup_id},
                               {"topics", schema::write(request.spec.topics)},
                               {"topicMapping", schema::write(request.spec.topic_mapping)},
                               {"target", schema::write(request.spec.kafka_cluster.bootstrap_servers)}};
  return boost::json::serialize(identity);
}

RestoreHold::RestoreHold(const Context& ctx, const RestoreRequest& request, const archive::Archive& archive)
    : archive_(archive), set_(choose(ctx, request)) {}

archive::Set RestoreHold::choose(const Context& ctx, const RestoreRequest& request) {
  const auto& named = request.spec.backup_ref.backup_id;
  if (request.spec.dry_run) return named ? archive_.set(ctx, *named) : newest_set(ctx, archive_);
  auto set = named ? named_set(ctx, archive_, *named) : newest_set(ctx, archive_);
  const auto& id = set.capture.backup_id;
  pin_.emplace(archive_, restore_identity(request, id),
               request.restore_namespace + "/" + request.restore_name, id);
  if (auto why = pin_->renew(ctx); !why.empty())
    LOG_INFO(
        "backup {} is not protected from being deleted while it is restored, as the archive cannot be "
        "written: {}",
        id, why);
  return set;
}

void RestoreHold::during(const Context& ctx, const std::function<void()>& work) {
  TaskGroup renewal(ctx);  // stops when this scope is left
  if (pin_) renewal.spawn([this](const Context& c) { renew_now_and_then(c); });
  try {
    work();
  } catch (const Error& error) {
    if (!begun_ && error.kind() != ErrorKind::cancelled) quietly(ctx, &archive::RestorePin::withdraw);
    throw;
  }
}

void RestoreHold::renew_now_and_then(const Context& ctx) const {
  for (;;) {
    ctx.sleep_for(renew_every);
    try {
      pin_->renew(ctx);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::cancelled) throw;
      LOG_WARN("the pin on the backup that is being restored was not renewed: {}", error.what());
    }
  }
}

void RestoreHold::release(const Context& ctx) {
  quietly(ctx, &archive::RestorePin::release);
}

// What the restore itself did, or why it failed, matters more.
void RestoreHold::quietly(const Context& ctx,
                          void (archive::RestorePin::*let_go)(const Context&) const) const {
  if (!pin_) return;
  try {
    ((*pin_).*let_go)(ctx);
  } catch (const Error& error) {
    LOG_INFO("the pin of this restore stays, and holds its backup for at most 7 days: {}", error.what());
  }
}

}  // namespace kb::engine
