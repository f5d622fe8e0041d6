#include "net/resolver.h"

#include <condition_variable>
#include <cstring>
#include <exception>

#include <netdb.h>

#include "base/error.h"

namespace kb {
namespace {

using AddressList = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

AddressList get_address_info(const Endpoint& endpoint, int flags, int& status) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* found = nullptr;
  status = ::getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &wanted, &found);
  return {status == 0 ? found : nullptr, &::freeaddrinfo};
}

std::string numeric_text(const addrinfo& address) {
  char host[NI_MAXHOST], port[NI_MAXSERV];
  int status = ::getnameinfo(address.ai_addr, address.ai_addrlen, host, sizeof host, port, sizeof port,
                             NI_NUMERICHOST | NI_NUMERICSERV);
  if (status != 0) return "?";
  return to_string(Endpoint{host, std::stoi(port)});
}

std::vector<SocketAddress> collect(const AddressList& list) {
  std::vector<SocketAddress> addresses;
  for (const addrinfo* entry = list.get(); entry; entry = entry->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    address.length = entry->ai_addrlen;
    address.text = numeric_text(*entry);
    addresses.push_back(std::move(address));
  }
  return addresses;
}

}  // namespace

std::vector<SocketAddress> look_up(const Endpoint& endpoint) {
  int status = 0;
  auto list = get_address_info(endpoint, 0, status);
  if (status == EAI_AGAIN)
    fail(ErrorKind::unavailable, "looking up {}: the name server did not answer", endpoint.host);
  if (status != 0)
    throw Error(ErrorKind::unavailable,
                fmt::format("looking up {}: {}", endpoint.host, ::gai_strerror(status)),
                "check the spelling of the host name, and that this machine's name server knows it");
  return collect(list);
}

struct Resolver::Pending {
  std::mutex mutex;
  std::condition_variable_any finished;
  // guarded by mutex
  bool done = false;
  std::vector<SocketAddress> addresses;
  std::exception_ptr failure;
};

struct Resolver::Running {
  std::shared_ptr<Pending> pending;
  std::jthread thread;
};

Resolver::Resolver(Lookup lookup) : lookup_(std::move(lookup)) {}

Resolver::~Resolver() = default;

Resolver& Resolver::of_process() {
  static auto* resolver = new Resolver;
  return *resolver;
}

// Joins the threads of lookups that have ended.
void Resolver::remove_finished() {
  std::lock_guard lock(mutex_);
  running_.remove_if([](const Running& running) {
    std::lock_guard pending_lock(running.pending->mutex);
    return running.pending->done;
  });
}

std::shared_ptr<Resolver::Pending> Resolver::start(const Endpoint& endpoint) {
  remove_finished();
  std::lock_guard lock(mutex_);
  if (running_.size() >= lookups_max)
    fail(ErrorKind::unavailable, "looking up {}: {} earlier lookups have no answer yet", endpoint.host,
         lookups_max);
  auto pending = std::make_shared<Pending>();
  auto work = [this, pending, endpoint] {
    std::vector<SocketAddress> addresses;
    std::exception_ptr failure;
    try {
      addresses = lookup_(endpoint);
    } catch (const std::exception&) {
      failure = std::current_exception();
    }
    std::lock_guard pending_lock(pending->mutex);
    pending->addresses = std::move(addresses);
    pending->failure = failure;
    pending->done = true;
    pending->finished.notify_all();
  };
  running_.push_back({pending, std::jthread(work)});
  return pending;
}

std::vector<SocketAddress> Resolver::resolve(const Context& ctx, const Endpoint& endpoint) {
  ctx.check();
  int status = 0;
  if (auto numeric = get_address_info(endpoint, AI_NUMERICHOST, status)) return collect(numeric);
  auto pending = start(endpoint);
  std::unique_lock lock(pending->mutex);
  if (!pending->finished.wait_until(lock, ctx.stop, ctx.deadline, [&] { return pending->done; })) {
    if (ctx.stop.stop_requested()) ctx.check();
    fail(ErrorKind::timed_out, "looking up {}: timed out", endpoint.host);
  }
  lock.unlock();
  remove_finished();  // the pending lookup is ours alone from here on
  if (pending->failure) std::rethrow_exception(pending->failure);
  return std::move(pending->addresses);
}

}  // namespace kb
