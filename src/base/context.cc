#include "base/context.h"

#include <condition_variable>
#include <mutex>

#include "base/error.h"

namespace kb {

void Context::check() const {
  if (stop.stop_requested()) throw Error(ErrorKind::cancelled, "cancelled");
  if (Clock::now() >= deadline) throw Error(ErrorKind::timed_out, "timed out");
}

void Context::sleep_for(Duration duration) const {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  auto wake_at = Clock::now() + duration;
  never.wait_until(lock, stop, std::min(deadline, wake_at), [] { return false; });
  if (stop.stop_requested() || deadline < wake_at) check();
}

}  // namespace kb
