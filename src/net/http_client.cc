#include "net/http_client.h"

#include <algorithm>
#include <cctype>
#include <exception>
#include <mutex>

#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/error.h"

namespace kb {
namespace {

constexpr std::size_t idle_sessions_max = 16;
// A peer that is gone without a word is noticed after keepalive_idle_s + silence_ms_max at the latest.
constexpr long keepalive_idle_s = 30, keepalive_interval_s = 10;
constexpr unsigned silence_ms_max = 30'000;
constexpr long connection_idle_s_max = 60, connection_age_s_max = 600;

struct EasyCleanup {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct MultiCleanup {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct ListCleanup {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, ListCleanup>;

// A request's own connection cache (in `multi`) and what libcurl remembers beside it.
struct Session {
  // in this order: the multi handle must go first
  std::unique_ptr<CURL, EasyCleanup> easy{curl_easy_init()};
  std::unique_ptr<CURLM, MultiCleanup> multi{curl_multi_init()};
};

std::unique_ptr<Session> new_session() {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  auto session = std::make_unique<Session>();
  if (initialised != CURLE_OK || !session->easy || !session->multi)
    fail(ErrorKind::internal, "libcurl cannot be initialised");
  return session;
}

bool is_success(long status) {
  return status >= 200 && status < 300;
}

// "GET https://server:443/path", without the query.
std::string describe(const HttpRequest& request) {
  return fmt::format("{} {}", request.method, std::string_view(request.url).substr(0, request.url.find('?')));
}

ErrorKind kind_of(CURLcode code) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
      return ErrorKind::denied;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return ErrorKind::invalid;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_BAD_FUNCTION_ARGUMENT:
    case CURLE_UNKNOWN_OPTION:
      return ErrorKind::internal;
    default:
      return ErrorKind::unavailable;
  }
}

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  if (curl_easy_setopt(easy, option, value) != CURLE_OK)
    fail(ErrorKind::internal, "libcurl does not know option {}", static_cast<int>(option));
}

void set_blob(CURL* easy, CURLoption option, const std::string& bytes) {
  if (bytes.empty()) return;
  curl_blob blob{const_cast<char*>(bytes.data()), bytes.size(), CURL_BLOB_NOCOPY};
  set(easy, option, &blob);
}

int set_user_timeout(void*, curl_socket_t socket, curlsocktype) {
  ::setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence_ms_max, sizeof silence_ms_max);
  return CURL_SOCKOPT_OK;
}

// One request on one session. Its address is known to libcurl.
class Exchange {
 public:
  Exchange(Session& session, const HttpSettings& settings, const HttpRequest& request,
           const std::function<void(std::string_view)>* sink)
      : easy_(session.easy.get()),
        multi_(session.multi.get()),
        settings_(settings),
        request_(request),
        sink_(sink) {
    curl_easy_reset(easy_);
    set_connection();
    set_request();
    set_callbacks();
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  HttpAnswer perform(const Context& ctx) {
    CURLcode code = run(ctx);
    if (failure_) std::rethrow_exception(failure_);
    if (code != CURLE_OK) {
      std::string_view reason = reason_[0] != '\0' ? reason_ : curl_easy_strerror(code);
      fail(kind_of(code), "{}: {}", describe(request_), reason);
    }
    answer_.status = static_cast<int>(status());
    return std::move(answer_);
  }

 private:
  // A transfer in a multi handle; leaving early closes its connection.
  struct Added {
    Added(CURLM* multi, CURL* easy) : multi(multi), easy(easy) {
      if (curl_multi_add_handle(multi, easy) != CURLM_OK)
        fail(ErrorKind::internal, "libcurl takes no request");
    }
    ~Added() { curl_multi_remove_handle(multi, easy); }
    CURLM* multi;
    CURL* easy;
  };

  CURLcode run(const Context& ctx) {
    check(ctx);
    Added added(multi_, easy_);
    std::stop_callback wake(ctx.stop, [this] { curl_multi_wakeup(multi_); });
    for (;;) {
      int running = 0;
      if (curl_multi_perform(multi_, &running) != CURLM_OK) fail(ErrorKind::internal, "libcurl gave up");
      if (running == 0) return result();
      check(ctx);
      curl_multi_poll(multi_, nullptr, 0, wait_ms(ctx), nullptr);
    }
  }
  void check(const Context& ctx) const {
    try {
      ctx.check();
    } catch (const Error& error) {
      throw error.while_doing(describe(request_));
    }
  }
  static int wait_ms(const Context& ctx) {
    constexpr std::chrono::milliseconds longest(600'000), shortest(1);
    if (ctx.deadline == Clock::time_point::max()) return static_cast<int>(longest.count());
    auto left = std::chrono::ceil<std::chrono::milliseconds>(ctx.deadline - Clock::now());
    return static_cast<int>(std::clamp(left, shortest, longest).count());
  }
  CURLcode result() {
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_, &left))
      if (message->msg == CURLMSG_DONE) return message->data.result;
    return CURLE_FAILED_INIT;
  }

  void set_connection() {
    set(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
    set(easy_, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
    set(easy_, CURLOPT_NOSIGNAL, 1L);
    set(easy_, CURLOPT_QUICK_EXIT, 1L);  // does not wait for a name lookup that nobody needs any more
    auto connect_ms = std::chrono::ceil<std::chrono::milliseconds>(settings_.connect_timeout).count();
    set(easy_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect_ms));
    if (!settings_.use_proxy) set(easy_, CURLOPT_PROXY, "");
    set(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
    set(easy_, CURLOPT_TCP_KEEPIDLE, keepalive_idle_s);
    set(easy_, CURLOPT_TCP_KEEPINTVL, keepalive_interval_s);
    set(easy_, CURLOPT_SOCKOPTFUNCTION, set_user_timeout);
    set(easy_, CURLOPT_MAXAGE_CONN, connection_idle_s_max);
    set(easy_, CURLOPT_MAXLIFETIME_CONN, connection_age_s_max);
    set_blob(easy_, CURLOPT_CAINFO_BLOB, settings_.ca_pem);
    set_blob(easy_, CURLOPT_SSLCERT_BLOB, settings_.client_cert_pem);
    set_blob(easy_, CURLOPT_SSLKEY_BLOB, settings_.client_key_pem);
  }
  void set_request() {
    set(easy_, CURLOPT_URL, request_.url.c_str());
    if (request_.method == "HEAD") set(easy_, CURLOPT_NOBODY, 1L);
    if (!request_.body.empty() || request_.method == "POST" || request_.method == "PUT") {
      set(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
      set(easy_, CURLOPT_POSTFIELDS, request_.body.c_str());
    }
    set(easy_, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
    add_header("Expect:");        // no round trip before a long body
    add_header("Content-Type:");  // none by itself; one of the request's comes later
    for (const auto& [name, value] : request_.headers) {
      if (name.empty() || (name + value).find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
        fail(ErrorKind::invalid, "{}: header {} is not one line", describe(request_), name.substr(0, 40));
      add_header(value.empty() ? name + ";" : name + ": " + value);
    }
    set(easy_, CURLOPT_HTTPHEADER, headers_.get());
  }
  void add_header(const std::string& line) {
    curl_slist* longer = curl_slist_append(headers_.get(), line.c_str());
    if (!longer) fail(ErrorKind::internal, "libcurl takes no header");
    static_cast<void>(headers_.release());  // it is the beginning of the longer one
    headers_.reset(longer);
  }
  void set_callbacks() {
    set(easy_, CURLOPT_ERRORBUFFER, reason_);
    set(easy_, CURLOPT_HEADERFUNCTION, on_header);
    set(easy_, CURLOPT_HEADERDATA, this);
    set(easy_, CURLOPT_WRITEFUNCTION, on_body);
    set(easy_, CURLOPT_WRITEDATA, this);
  }

  // Called by libcurl, which is C: nothing may be thrown through it.
  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self) {
    return static_cast<Exchange*>(self)->guarded(size, [=](Exchange& e) { e.header({data, size}); });
  }
  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self) {
    return static_cast<Exchange*>(self)->guarded(size, [=](Exchange& e) { e.body({data, size}); });
  }
  template <class Action>
  std::size_t guarded(std::size_t size, Action action) {
    try {
      action(*this);
      return size;
    } catch (const std::exception&) {
      failure_ = std::current_exception();
      return size + 1;  // libcurl ends the transfer
    }
  }
  void header(std::string_view line) {
    if (line.starts_with("HTTP/")) answer_.headers.clear();  // of an interim answer
    auto colon = line.find(':');
    if (colon == std::string_view::npos) return;
    std::string name(line.substr(0, colon));
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    auto value = line.substr(colon + 1);
    auto first = value.find_first_not_of(" \t\r\n"), last = value.find_last_not_of(" \t\r\n");
    answer_.headers[name] = first == std::string_view::npos ? "" : value.substr(first, last - first + 1);
  }
  void body(std::string_view piece) {
    if (sink_ && is_success(status())) return (*sink_)(piece);
    if (piece.size() > settings_.answer_bytes_max - answer_.body.size())
      fail(ErrorKind::invalid, "{}: the answer is longer than {} bytes", describe(request_),
           settings_.answer_bytes_max);
    answer_.body.append(piece);
  }
  long status() const {
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    return status;
  }

  CURL* const easy_;
  CURLM* const multi_;
  const HttpSettings& settings_;
  const HttpRequest& request_;
  const std::function<void(std::string_view)>* const sink_;
  HeaderList headers_;
  char reason_[CURL_ERROR_SIZE] = {};
  HttpAnswer answer_;
  std::exception_ptr failure_;
};

}  // namespace

struct HttpClient::Connections {
  explicit Connections(HttpSettings s) : settings(std::move(s)) {}
  const HttpSettings settings;
  std::mutex mutex;
  std::vector<std::unique_ptr<Session>> idle;  // guarded by mutex

  std::unique_ptr<Session> take() {
    std::lock_guard lock(mutex);
    if (idle.empty()) return new_session();
    auto session = std::move(idle.back());
    idle.pop_back();
    return session;
  }
  void give_back(std::unique_ptr<Session> session) {
    std::lock_guard lock(mutex);
    if (idle.size() < idle_sessions_max) idle.push_back(std::move(session));
  }
  // A session whose request failed is not used again.
  HttpAnswer perform(const Context& ctx, const HttpRequest& request,
                     const std::function<void(std::string_view)>* sink) {
    auto session = take();
    auto answer = Exchange(*session, settings, request, sink).perform(ctx);
    give_back(std::move(session));
    return answer;
  }
};

HttpClient::HttpClient(HttpSettings settings)
    : connections_(std::make_unique<Connections>(std::move(settings))) {}
HttpClient::~HttpClient() = default;

HttpAnswer HttpClient::send(const Context& ctx, const HttpRequest& request) {
  return connections_->perform(ctx, request, nullptr);
}

HttpAnswer HttpClient::stream(const Context& ctx, const HttpRequest& request,
                              const std::function<void(std::string_view)>& sink) {
  return connections_->perform(ctx, request, &sink);
}

}  // namespace kb
