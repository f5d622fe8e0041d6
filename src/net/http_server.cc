#include "net/http_server.h"

#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/fd.h"

namespace kb {
namespace {

constexpr unsigned connections_max = 16, silence_s_max = 10;

struct AddressListCleanup {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using AddressList = std::unique_ptr<addrinfo, AddressListCleanup>;

AddressList addresses_of(const Endpoint& listen) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const char* host = listen.host.empty() ? nullptr : listen.host.c_str();
  if (int error = ::getaddrinfo(host, std::to_string(listen.port).c_str(), &hints, &list))
    fail(ErrorKind::unavailable, "listening on {}: {}", to_string(listen), ::gai_strerror(error));
  return AddressList(list);
}

// errno is set when it is not open.
Fd listen_on(const addrinfo& address) {
  Fd fd(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  int yes = 1, no = 0;
  if (fd.get() < 0) return fd;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (address.ai_family == AF_INET6)
    ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);  // "::" is IPv4 too
  bool listening = ::bind(fd.get(), address.ai_addr, address.ai_addrlen) == 0 &&
                   ::listen(fd.get(), static_cast<int>(connections_max)) == 0;
  return listening ? std::move(fd) : Fd();
}

Fd listen_on(const Endpoint& listen) {
  auto list = addresses_of(listen);
  int error = 0;
  for (const int family : {AF_INET6, AF_INET})  // the first one, when it is "::", takes both
    for (const addrinfo* address = list.get(); address; address = address->ai_next) {
      if (address->ai_family != family) continue;
      if (auto fd = listen_on(*address); fd.get() >= 0) return fd;
      error = errno;
    }
  fail(ErrorKind::unavailable, "listening on {}: {}", to_string(listen), std::strerror(error));
}

int port_of(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  CHECK(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<sockaddr_in&>(address).sin_port);
}

struct ResponseCleanup {
  void operator()(MHD_Response* response) const { MHD_destroy_response(response); }
};

MHD_Result answer_with(MHD_Connection* connection, const HttpPage& page, const char* allow) {
  auto* bytes = const_cast<char*>(page.body.data());
  std::unique_ptr<MHD_Response, ResponseCleanup> response(
      MHD_create_response_from_buffer(page.body.size(), bytes, MHD_RESPMEM_MUST_COPY));
  if (!response) return MHD_NO;
  MHD_add_response_header(response.get(), MHD_HTTP_HEADER_CONTENT_TYPE, page.content_type.c_str());
  if (allow) MHD_add_response_header(response.get(), MHD_HTTP_HEADER_ALLOW, allow);
  return MHD_queue_response(connection, static_cast<unsigned>(page.status), response.get());
}

}  // namespace

struct HttpServer::Daemon {
  std::function<HttpPage(std::string_view)> page;
  int port = 0;
  MHD_Daemon* daemon = nullptr;

  // libmicrohttpd calls this when the headers are there, and again when the request is complete.
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url, const char* method,
                               const char*, const char*, std::size_t* upload_size, void** state) {
    if (std::strcmp(method, MHD_HTTP_METHOD_GET) != 0 && std::strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
      return answer_with(connection, {.status = 405, .body = "only GET\n"}, "GET, HEAD");
    if (!*state) {
      *state = self;
      return MHD_YES;
    }
    if (*upload_size != 0) {
      *upload_size = 0;  // a body, which a GET should not have, is read and forgotten
      return MHD_YES;
    }
    return answer_with(connection, static_cast<Daemon*>(self)->page(url), nullptr);
  }
};

HttpServer::HttpServer(const Endpoint& listen, std::function<HttpPage(std::string_view path)> page)
    : daemon_(std::make_unique<Daemon>()) {
  auto fd = listen_on(listen);
  daemon_->page = std::move(page);
  daemon_->port = port_of(fd.get());
  int own = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0);  // the daemon's, whether it starts or not
  daemon_->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO, 0, nullptr, nullptr,
                                     &Daemon::on_request, daemon_.get(), MHD_OPTION_LISTEN_SOCKET, own,
                                     MHD_OPTION_CONNECTION_LIMIT, connections_max,
                                     MHD_OPTION_CONNECTION_TIMEOUT, silence_s_max, MHD_OPTION_END);
  if (!daemon_->daemon) fail(ErrorKind::unavailable, "serving on {} does not start", to_string(listen));
}

HttpServer::~HttpServer() {
  MHD_stop_daemon(daemon_->daemon);
}

int HttpServer::port() const {
  return daemon_->port;
}

}  // namespace kb
