// SIGINT and SIGTERM as a stop request.
#pragma once
#include <atomic>
#include <stop_token>
#include <string>
#include <thread>

#include "base/fd.h"

namespace kb {

// The first signal stops the token, a second one ends the process at once. Make it in main, before any other
// thread: threads inherit that the signals are not delivered to them. One per process.
class StopOnSignal {
 public:
  StopOnSignal();
  ~StopOnSignal();

  std::stop_token token() const { return stop_.get_token(); }
  // "SIGINT" or "SIGTERM" once one has come, else empty.
  std::string received() const;

 private:
  void wait_for_signals();

  std::stop_source stop_;
  Fd signals_, end_;
  std::atomic<int> received_ = 0;
  std::jthread thread_;  // last: ends before what it uses goes
};

}  // namespace kb
