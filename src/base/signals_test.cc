#include "base/signals.h"

#include <condition_variable>
#include <csignal>
#include <mutex>

#include <unistd.h>

#include <doctest/doctest.h>

using kb::StopOnSignal;

TEST_CASE("SIGINT and SIGTERM stop the token") {
  for (int signal : {SIGINT, SIGTERM}) {
    StopOnSignal signals;
    CHECK_FALSE(signals.token().stop_requested());
    CHECK(signals.received().empty());
    ::kill(::getpid(), signal);
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    stopped.wait(lock, signals.token(), [] { return false; });
    CHECK(signals.token().stop_requested());
    CHECK(signals.received() == (signal == SIGINT ? "SIGINT" : "SIGTERM"));
  }
}

TEST_CASE("without a signal it ends by itself") {
  StopOnSignal signals;
  CHECK_FALSE(signals.token().stop_requested());
}
