#include "base/signals.h"

#include <array>
#include <csignal>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include "base/error.h"
#include "base/log.h"

namespace kb {
namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

std::string name_of(int signal) {
  return signal == SIGTERM ? "SIGTERM" : "SIGINT";
}

}  // namespace

StopOnSignal::StopOnSignal() {
  auto set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_ = Fd(::signalfd(-1, &set, SFD_CLOEXEC));
  end_ = Fd(::eventfd(0, EFD_CLOEXEC));
  CHECK(signals_.get() >= 0 && end_.get() >= 0);
  thread_ = std::jthread([this] { wait_for_signals(); });
}

StopOnSignal::~StopOnSignal() {
  ::eventfd_write(end_.get(), 1);
}

std::string StopOnSignal::received() const {
  auto signal = received_.load();
  return signal == 0 ? "" : name_of(signal);
}

void StopOnSignal::wait_for_signals() {
  for (;;) {
    std::array<pollfd, 2> ready{{{signals_.get(), POLLIN, 0}, {end_.get(), POLLIN, 0}}};
    if (::poll(ready.data(), ready.size(), -1) < 0) continue;
    if (ready[1].revents != 0) return;
    signalfd_siginfo info{};
    if (::read(signals_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) continue;
    auto signal = static_cast<int>(info.ssi_signo);
    if (received_ != 0) ::_exit(128 + signal);
    received_ = signal;
    LOG_WARN("{}: stopping; a second one ends the program at once", name_of(signal));
    stop_.request_stop();
  }
}

}  // namespace kb
