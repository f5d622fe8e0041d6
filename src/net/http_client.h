// HTTP/1.1, also over TLS, by libcurl, obeying a Context (RFC 9110, RFC 9112; https://curl.se/libcurl/c/).
// A connection serves one request at a time, so HTTP/2 would not make anything faster.
#pragma once
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"

namespace kb {

struct HttpSettings {
  std::string ca_pem;           // certificates to trust instead of the system's; empty: the system's
  std::string client_cert_pem;  // with client_key_pem: how we identify ourselves
  std::string client_key_pem;
  Duration connect_timeout = std::chrono::seconds(10);
  bool use_proxy = true;                    // that of $HTTPS_PROXY, $HTTP_PROXY and $NO_PROXY
  std::size_t answer_bytes_max = 64 << 20;  // a longer answer is an error
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// Keeps connections open between requests. Thread-safe: each thread that asks at the same time has its own.
// A kept connection that the server closed before it answered anything is replaced, and the request sent
// again on the new one, once, whatever its method.
class HttpClient {
 public:
  explicit HttpClient(HttpSettings settings);
  ~HttpClient();

  // The answer, whatever its status. Throws unavailable (no connection, cut off), denied (certificates),
  // timed_out, cancelled, invalid (an answer that is too long, a URL or header that cannot be). Never follows
  // redirects. The texts of errors name method, server and path, never headers or bodies.
  HttpAnswer send(const Context& ctx, const HttpRequest& request);
  // Gives each piece of the body of a 2xx answer to `sink` as it comes, until the server ends it; the answer
  // has the body only when its status is another. A piece has 16 KiB at most. No limit of the whole. What
  // `sink` throws ends the request and is passed on.
  HttpAnswer stream(const Context& ctx, const HttpRequest& request,
                    const std::function<void(std::string_view)>& sink);

 private:
  struct Connections;
  std::unique_ptr<Connections> connections_;
};

}  // namespace kb
