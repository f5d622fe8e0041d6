#include "net/readiness.h"

#include <cerrno>
#include <optional>
#include <system_error>

#include <poll.h>
#include <sys/eventfd.h>

#include "base/error.h"
#include "base/fd.h"

namespace kb {
namespace {

// What a stop request writes to. One per thread, because a thread waits in one place at a time.
int wake_fd() {
  thread_local Fd fd{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  if (fd.get() < 0) fail(ErrorKind::unavailable, "eventfd: {}", std::generic_category().message(errno));
  return fd.get();
}

// Empty for "no deadline".
std::optional<timespec> time_left(Clock::time_point deadline) {
  if (deadline == Clock::time_point::max()) return std::nullopt;
  auto left = std::max(Duration::zero(), deadline - Clock::now());
  auto seconds = std::chrono::floor<std::chrono::seconds>(left);
  auto nanoseconds = std::chrono::nanoseconds(left - seconds);
  return timespec{static_cast<time_t>(seconds.count()), static_cast<long>(nanoseconds.count())};
}

}  // namespace

void wait_until_ready(const Context& ctx, int fd, short events) {
  ctx.check();  // a peer that trickles bytes must not outlive the deadline
  int wake = wake_fd();
  for (int ready = 0; ready <= 0;) {
    pollfd fds[] = {{fd, events, 0}, {wake, POLLIN, 0}};
    {
      std::stop_callback on_stop(ctx.stop, [wake] { ::eventfd_write(wake, 1); });
      auto left = time_left(ctx.deadline);
      ready = ::ppoll(fds, 2, left ? &*left : nullptr, nullptr);
      if (ready < 0 && errno != EINTR)
        fail(ErrorKind::internal, "poll: {}", std::generic_category().message(errno));
    }
    eventfd_t drained;  // NOLINT: only so that the next wait of this thread starts without a wake-up
    if (ctx.stop.stop_requested()) ::eventfd_read(wake, &drained);
    if (ready <= 0 || fds[0].revents == 0) ctx.check();
    if (ready > 0 && fds[0].revents == 0) ready = 0;
  }
}

}  // namespace kb
