// Host names to socket addresses, by the C library's resolver (getaddrinfo, RFC 3493), with a deadline.
#pragma once
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <sys/socket.h>

#include "base/context.h"
#include "net/endpoint.h"

namespace kb {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
  std::string text;  // numeric, "address:port"
};

// Asks the system now, in this thread. Throws unavailable with a hint when the name is not known.
std::vector<SocketAddress> look_up(const Endpoint& endpoint);

// getaddrinfo() can be neither stopped nor limited in time, so a lookup runs in a thread of its own and who
// asked may leave before it ends. Thread-safe.
class Resolver {
 public:
  using Lookup = std::function<std::vector<SocketAddress>(const Endpoint&)>;
  static constexpr std::size_t lookups_max = 16;  // running at once, those nobody waits for included

  explicit Resolver(Lookup lookup = look_up);
  ~Resolver();  // waits for lookups still running

  // In the order to try, at least one. Throws unavailable, cancelled, timed_out.
  std::vector<SocketAddress> resolve(const Context& ctx, const Endpoint& endpoint);

  // Never destroyed, so that a lookup nobody waits for does not delay the end of the process.
  static Resolver& of_process();

 private:
  struct Pending;
  struct Running;
  void remove_finished();
  std::shared_ptr<Pending> start(const Endpoint& endpoint);

  const Lookup lookup_;
  std::mutex mutex_;
  std::list<Running> running_;  // guarded by mutex_
};

}  // namespace kb
