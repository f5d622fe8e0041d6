// connect(): an Api over HTTP.
#include <vector>

#include "kube/bearer_token.h"
#include "kube/config.h"
#include "kube/line_splitter.h"
#include "kube/status_error.h"

namespace kb::kube {
namespace {

constexpr int unauthorized = 401;

class HttpApi final : public Api {
 public:
  explicit HttpApi(Config config)
      : server_(std::move(config.server)),
        token_(std::move(config.token), std::move(config.token_file)),
        http_(std::move(config.http)) {
    while (server_.ends_with('/')) server_.pop_back();
  }

  std::string send(const Context& ctx, const Request& request) override {
    auto answer = ask(request, [&](const HttpRequest& asked) { return http_.send(ctx, asked); });
    return std::move(answer.body);
  }

  void stream(const Context& ctx, const Request& request,
              const std::function<void(std::string_view)>& line) override {
    LineSplitter lines(line_bytes_max, line);
    ask(request, [&](const HttpRequest& asked) {
      return http_.stream(ctx, asked, [&](std::string_view piece) { lines.add(piece); });
    });
    lines.finish();
  }

 private:
  // Once more when the token was replaced meanwhile: what was refused with 401 has had no effect.
  template <class Exchange>
  HttpAnswer ask(const Request& request, Exchange exchange) {
    auto token = token_.get();
    auto answer = exchange(http_request(request, token));
    if (answer.status == unauthorized && token_.changed_since(token))
      answer = exchange(http_request(request, token_.get()));
    if (answer.status / 100 == 2) return answer;
    auto path = std::string_view(request.path).substr(0, request.path.find('?'));
    throw error_of(fmt::format("{} {}", request.method, path), answer.status, answer.body);
  }

  HttpRequest http_request(const Request& request, const std::string& token) const {
    HttpRequest out{.method = request.method, .url = server_ + request.path, .body = request.body};
    out.headers = {{"Accept", "application/json"}, {"User-Agent", "kafka-backup-operator"}};
    if (!request.body.empty()) out.headers.emplace_back("Content-Type", request.content_type);
    if (!token.empty()) out.headers.emplace_back("Authorization", "Bearer " + token);
    return out;
  }

  std::string server_;
  BearerToken token_;
  HttpClient http_;
};

}  // namespace

std::unique_ptr<Api> connect(Config config) {
  return std::make_unique<HttpApi>(std::move(config));
}

}  // namespace kb::kube
