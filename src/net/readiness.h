// Where a thread waits for the network: one of the few places that block.
#pragma once
#include "base/context.h"

namespace kb {

// Waits until poll(2) reports one of `events` (POLLIN, POLLOUT) or an error on `fd`.
// Throws cancelled as soon as the context is stopped, timed_out at its deadline. Thread-safe.
void wait_until_ready(const Context& ctx, int fd, short events);

}  // namespace kb
