// Leader election by a Lease (https://kubernetes.io/docs/concepts/architecture/leases/), with the rules of
// client-go: a lease that nobody renewed for its duration, by our own clock, may be taken; writes carry the
// resourceVersion.
#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <string>

#include "kube/api.h"

namespace kb::kube {

struct LeaseSettings {
  std::string resource_namespace, name;
  std::string identity;  // of this process: the pod's name and something random
  Duration lease_duration = std::chrono::seconds(15);
  Duration renew_deadline = std::chrono::seconds(10);
  Duration retry_period = std::chrono::seconds(2);
};

class LeaderElection {
 public:
  LeaderElection(Api& api, LeaseSettings settings);

  // Waits until this process leads, runs `lead` with a context that ends when leadership is lost, then
  // returns false (lost) - or true when `lead` returned by itself; the lease is then given back. Throws
  // cancelled when ctx ends (after giving the lease back).
  bool run(const Context& ctx, const std::function<void(const Context&)>& lead);

  // Whether a write may be sent now: the lease was renewed less than renew_deadline ago, by CLOCK_BOOTTIME,
  // which goes on while the process is stopped. Thread-safe.
  bool may_write() const;
  // Who holds the lease as far as known. Thread-safe.
  std::string holder() const;
  bool contacted() const;  // whether the lease has been read at least once

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// Passes reads on; throws conflict for writes (POST, PUT, PATCH, DELETE) while `election` says that we may
// not.
class LeaderOnlyApi final : public Api {
 public:
  LeaderOnlyApi(Api& inner, const LeaderElection& election) : inner_(inner), election_(election) {}
  std::string send(const Context& ctx, const Request& request) override;
  void stream(const Context& ctx, const Request& request,
              const std::function<void(std::string_view)>& line) override;

 private:
  Api& inner_;
  const LeaderElection& election_;
};

}  // namespace kb::kube
