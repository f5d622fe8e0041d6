// The connections that short requests share: one per broker address, opened when needed, used by one thread
// at a time.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "base/circuit_breaker.h"
#include "kafka/connection.h"

namespace kb::kafka {

// Thread-safe. Trouble with one address touches neither the connections to others nor the threads that use
// them.
class ControlConnections {
 public:
  ControlConnections(const ConnectionSettings& settings, std::shared_ptr<CircuitBreakers> breakers)
      : settings_(settings), breakers_(std::move(breakers)) {}

  // Waits for its turn (at most the request timeout, then timed_out), opens a connection when there is none
  // that is usable, and makes one call, if the address's circuit breaker allows. Nothing is tried again.
  template <class Request>
  Reply<typename Request::Response> call(const Context& ctx, const Endpoint& endpoint,
                                         const Request& request) {
    return use(ctx, endpoint, [&](const Context& bounded, Connection& connection) {
      return connection.call(bounded, request);
    });
  }

  // The version of an api that both sides speak, as of a call; opens a connection when there is none.
  template <class Request>
  int16_t version(const Context& ctx, const Endpoint& endpoint) {
    return use(ctx, endpoint,
               [](const Context&, Connection& connection) { return connection.template version<Request>(); });
  }

  // The one to ask when any will do: not to be left alone, not in use, then the one whose last failure is the
  // longest ago, then the first. `candidates` must not be empty.
  Endpoint most_promising(std::span<const Endpoint> candidates) const;
  // Closes the connections to all other addresses, unless they are in use.
  void keep_only(std::span<const Endpoint> endpoints);
  std::size_t size() const;

 private:
  struct Slot {
    bool busy = false;
    std::uint64_t failed = 0;  // in the order of failures; 0: the last call succeeded, or there was none
    // Belongs to whoever set busy.
    std::optional<Connection> connection;
  };
  // The exclusive use of a slot; a failure is noted unless succeeded() was called.
  class Turn {
   public:
    Turn(const Context& ctx, ControlConnections& all, const Endpoint& endpoint);
    ~Turn();
    Turn(const Turn&) = delete;
    Connection& connection(const Context& ctx);
    void succeeded() { succeeded_ = true; }

   private:
    ControlConnections& all_;
    const Endpoint endpoint_;
    std::shared_ptr<Slot> slot_;
    bool succeeded_ = false;
  };

  auto use(const Context& ctx, const Endpoint& endpoint, auto&& action) {
    auto bounded = ctx.with_timeout(settings_.connect_timeout + settings_.request_timeout);
    Turn turn(bounded, *this, endpoint);
    auto permit = breakers_->admit(to_string(endpoint));
    try {
      auto result = action(bounded, turn.connection(bounded));
      permit.succeeded();
      turn.succeeded();
      return result;
    } catch (const Error& error) {
      permit.failed(error);
      throw;
    }
  }

  const ConnectionSettings settings_;
  const std::shared_ptr<CircuitBreakers> breakers_;
  mutable std::mutex mutex_;
  std::condition_variable_any released_;
  // guarded by mutex_
  std::map<std::string, std::shared_ptr<Slot>> slots_;  // by "host:port"
  std::uint64_t failures_ = 0;
};

}  // namespace kb::kafka
