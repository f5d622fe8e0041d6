// A small HTTP server by libmicrohttpd for metrics, health and progress: GET only, plain text
// (https://www.gnu.org/software/libmicrohttpd/).
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "net/endpoint.h"

namespace kb {

struct HttpPage {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

// Serves from construction to destruction, on a thread of its own. At most 16 connections at a time, closed
// after 10 s of silence; other methods than GET and HEAD are answered with 405. `page` is called on that
// thread, with the path; it must be quick, thread-safe and must not throw.
class HttpServer {
 public:
  // `listen` with port 0 takes a free one, with an empty host all addresses. Throws unavailable when the
  // address is taken.
  HttpServer(const Endpoint& listen, std::function<HttpPage(std::string_view path)> page);
  ~HttpServer();
  int port() const;

 private:
  struct Daemon;
  std::unique_ptr<Daemon> daemon_;
};

}  // namespace kb
