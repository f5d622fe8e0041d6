#include "kube/lease.h"

#include <condition_variable>
#include <ctime>
#include <exception>
#include <mutex>
#include <optional>
#include <random>

#include "base/log.h"
#include "base/task_group.h"
#include "kube/lease_record.h"

namespace kb::kube {
namespace {

constexpr auto release_timeout = std::chrono::seconds(5);
constexpr double jitter_max = 1.2;

// Since the machine was started; goes on while the process, or the machine, sleeps.
std::chrono::nanoseconds boot_time() {
  timespec now{};
  CHECK(::clock_gettime(CLOCK_BOOTTIME, &now) == 0);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

WallTime wall_time() {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

// Something that happens once.
class Notice {
 public:
  void give() {
    std::lock_guard lock(mutex_);
    given_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return given_; });
  }
  bool wait_for(Duration duration) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, duration, [this] { return given_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool given_ = false;  // guarded by mutex_
};

// Gives it however the scope is left.
struct NoticeAtEnd {
  Notice& notice;
  ~NoticeAtEnd() { notice.give(); }
};

}  // namespace

struct LeaderElection::State {
  enum class Attempt { held, other_holds, failed };

  Api& api;
  const LeaseSettings settings;
  const std::string path;
  // When the request was sent that renewed the lease last; zero when we do not lead.
  std::atomic<std::chrono::nanoseconds> renewed_at{std::chrono::nanoseconds{0}};
  std::atomic<bool> contacted = false;
  mutable std::mutex mutex;
  std::string holder;  // guarded by mutex
  // owned by the thread of run()
  std::optional<json::value> lease;  // as the server has it, if known
  LeaseRecord observed;
  std::chrono::nanoseconds observed_at{0};  // when `observed` was new to us
  bool write_unanswered = false;            // it may have made us the holder

  State(Api& a, LeaseSettings s)
      : api(a), settings(std::move(s)), path(path_of(leases, settings.resource_namespace, settings.name)) {}

  Context attempt_context(const Context& ctx) const { return ctx.with_timeout(settings.renew_deadline / 2); }

  void observe() {
    auto record = lease ? read_lease(*lease) : LeaseRecord{};
    if (record == observed && observed_at.count() != 0) return;
    observed = record;
    observed_at = boot_time();
    std::lock_guard lock(mutex);
    holder = record.holder;
  }
  void read(const Context& ctx) {
    lease = get(ctx, api, path);
    contacted = true;
    observe();
  }
  bool held_by_other() const {
    if (observed.holder.empty() || observed.holder == settings.identity) return false;
    auto duration = observed.duration_s > 0
                        ? std::chrono::nanoseconds(std::chrono::seconds(observed.duration_s))
                        : std::chrono::nanoseconds(settings.lease_duration);
    return boot_time() - observed_at < duration;
  }

  // Takes the lease when it is free, or renews it.
  Attempt attempt(const Context& ctx) {
    if (!lease) read(ctx);
    bool leading = renewed_at.load().count() != 0;
    if (held_by_other() || (leading && lease && observed.holder != settings.identity)) {
      lease.reset();
      return Attempt::other_holds;
    }
    auto sent_at = boot_time();
    auto written = write(ctx);
    if (!written) return Attempt::failed;
    lease = std::move(written);
    observe();
    renewed_at = sent_at;
    return Attempt::held;
  }
  // Nothing when somebody else wrote meanwhile. What the server has is unknown unless this succeeds.
  std::optional<json::value> write(const Context& ctx) {
    auto known = std::exchange(lease, std::nullopt);
    write_unanswered = true;
    std::optional<json::value> written;
    try {
      if (known)
        written = replace(ctx, api, path, renewed_lease(*known, settings, wall_time()));
      else
        written =
            create(ctx, api, path_of(leases, settings.resource_namespace), new_lease(settings, wall_time()));
    } catch (const Error& error) {
      // Not found: it was deleted, and will be created.
      if (error.kind() != ErrorKind::conflict && error.kind() != ErrorKind::not_found) throw;
    }
    write_unanswered = false;
    return written;
  }

  void acquire(const Context& ctx) {
    std::minstd_rand random{std::random_device{}()};
    std::uniform_real_distribution<double> jitter(1.0, jitter_max);
    for (;;) {
      try {
        ctx.check();
        if (attempt(attempt_context(ctx)) == Attempt::held) return;
        ctx.sleep_for(std::chrono::duration_cast<Duration>(settings.retry_period * jitter(random)));
      } catch (const Error& error) {
        if (ctx.stop.stop_requested() && write_unanswered) give_back();
        ctx.check();
        LOG_WARN("lease {}: {}", settings.name, error.what());
        ctx.sleep_for(settings.retry_period);
      }
    }
  }

  // False when the lease is lost.
  bool renew() {
    try {
      if (attempt(attempt_context({})) == Attempt::other_holds) return false;
    } catch (const Error& error) {
      LOG_WARN("lease {} is not renewed: {}", settings.name, error.what());
    }
    return boot_time() - renewed_at.load() < settings.renew_deadline;
  }

  // Best effort: else the others wait until it expires.
  void give_back() {
    renewed_at = std::chrono::nanoseconds{0};
    try {
      auto ctx = Context{}.with_timeout(release_timeout);
      if (!lease) read(ctx);
      if (lease && read_lease(*lease).holder == settings.identity)
        replace(ctx, api, path, released_lease(*lease, wall_time()));
    } catch (const Error& error) {
      LOG_WARN("lease {} is not given back: {}", settings.name, error.what());
    }
    lease.reset();
    write_unanswered = false;
  }

  // Renews the lease while `lead` runs. Afterwards nothing of it runs any more.
  bool lead_while_held(const Context& ctx, const std::function<void(const Context&)>& lead) {
    Notice ended;
    std::stop_source end_lead;
    std::stop_callback with_ours(ctx.stop, [&] { end_lead.request_stop(); });
    TaskGroup leading({end_lead.get_token(), ctx.deadline});
    leading.spawn([&](const Context& inner) {
      NoticeAtEnd notice{ended};
      lead(inner);
    });
    bool held = true;
    // Also while it ends because ctx did: it may still have something on its way.
    while (held && !ended.wait_for(settings.retry_period)) held = renew();
    if (!held) {
      renewed_at = std::chrono::nanoseconds{0};
      LOG_WARN("lease {} is lost", settings.name);
      end_lead.request_stop();
      ended.wait();
    }
    return finish(ctx, leading, held);
  }

  bool finish(const Context& ctx, TaskGroup& leading, bool held) {
    std::exception_ptr failure;
    try {
      leading.wait();
    } catch (const std::exception& error) {
      failure = std::current_exception();
      if (!held) LOG_INFO("what ran as the leader ended: {}", error.what());
    }
    if (held) give_back();
    ctx.check();
    if (failure && held) std::rethrow_exception(failure);
    return held;
  }
};

LeaderElection::LeaderElection(Api& api, LeaseSettings settings)
    : state_(std::make_shared<State>(api, std::move(settings))) {}

bool LeaderElection::run(const Context& ctx, const std::function<void(const Context&)>& lead) {
  state_->acquire(ctx);
  LOG_INFO("lease {} is ours: {}", state_->settings.name, state_->settings.identity);
  return state_->lead_while_held(ctx, lead);
}

bool LeaderElection::may_write() const {
  auto renewed_at = state_->renewed_at.load();
  return renewed_at.count() != 0 && boot_time() - renewed_at < state_->settings.renew_deadline;
}

std::string LeaderElection::holder() const {
  std::lock_guard lock(state_->mutex);
  return state_->holder;
}

bool LeaderElection::contacted() const {
  return state_->contacted;
}

}  // namespace kb::kube
