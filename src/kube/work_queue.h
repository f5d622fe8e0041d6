// Keys of objects that are to be reconciled: each at most once in the queue and never by two workers at the
// same time; one that comes while it is worked on is queued again afterwards. Thread-safe.
#pragma once
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/context.h"

namespace kb::kube {

struct BackoffSettings {
  Duration first = std::chrono::milliseconds(200);
  Duration max = std::chrono::minutes(5);
};

class WorkQueue {
 public:
  explicit WorkQueue(BackoffSettings backoff = {});
  ~WorkQueue();

  void add(const std::string& key);
  // An earlier time that is already planned stays.
  void add_after(const std::string& key, Duration delay);
  // After a failure: each one in a row waits twice as long.
  void add_after_failure(const std::string& key);
  void forget_failures(const std::string& key);

  // Waits for a key that is due; done() must follow. Throws cancelled, timed_out.
  std::string take(const Context& ctx);
  void done(const std::string& key);
  std::size_t size() const;  // due and planned

  int failures(const std::string& key) const;  // in a row
  // How long after that many failures before it.
  Duration backoff_of(int failures_before) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kb::kube
