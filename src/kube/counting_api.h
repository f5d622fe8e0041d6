// Counts requests for the metrics.
#pragma once
#include <map>
#include <mutex>
#include <string>

#include "kube/api.h"

namespace kb::kube {

// Requests by method and plural ("GET jobs"; a watch is "WATCH jobs"), failures apart (what was cancelled is
// none). Thread-safe.
class CountingApi final : public Api {
 public:
  explicit CountingApi(Api& inner) : inner_(inner) {}
  std::string send(const Context& ctx, const Request& request) override;
  void stream(const Context& ctx, const Request& request,
              const std::function<void(std::string_view)>& line) override;

  struct Counts {
    std::uint64_t requests = 0, failures = 0;
  };
  // By (method, plural).
  std::map<std::pair<std::string, std::string>, Counts> counts() const;

 private:
  template <class Action>
  auto counted(std::string method, const std::string& path, Action action);
  void count(const std::pair<std::string, std::string>& key, std::uint64_t Counts::*counter);

  Api& inner_;
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Counts> counts_;  // guarded by mutex_
};

}  // namespace kb::kube
