#include "kafka/sasl_gssapi.h"

#include <array>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <sasl/sasl.h>

namespace kb::kafka {
namespace {

// libsasl2 is C: its callbacks are functions of any type behind one pointer.
using Callback = int (*)();

int give_plugin_folder(void*, const char** path) {
  *path = KB_SASL_PLUGINS;
  return SASL_OK;
}

// No other mechanism is wanted, whatever the machine has.
int accept_file(void*, const char* file, sasl_verify_type_t type) {
  const bool wanted = type == SASL_VRFY_PLUGIN && std::strstr(file, "/libgssapiv2.") != nullptr;
  return wanted ? SASL_OK : SASL_CONTINUE;
}

// Whom the broker shall take us for: whoever the ticket says.
int give_user(void*, int, const char** result, unsigned* length) {
  *result = "";
  if (length) *length = 0;
  return SASL_OK;
}

int drop_log(void*, int, const char*) {
  return SASL_OK;
}

template <class Function>
Callback as_callback(Function* function) {
  return reinterpret_cast<Callback>(reinterpret_cast<void (*)()>(function));
}

const sasl_callback_t* callbacks_of_process() {
  static const std::array<sasl_callback_t, 4> callbacks{
      {{SASL_CB_GETPATH, as_callback(give_plugin_folder), nullptr},
       {SASL_CB_VERIFYFILE, as_callback(accept_file), nullptr},
       {SASL_CB_LOG, as_callback(drop_log), nullptr},
       {SASL_CB_LIST_END, nullptr, nullptr}}};
  return callbacks.data();
}

const sasl_callback_t* callbacks_of_login() {
  static const std::array<sasl_callback_t, 4> callbacks{{{SASL_CB_USER, as_callback(give_user), nullptr},
                                                         {SASL_CB_AUTHNAME, as_callback(give_user), nullptr},
                                                         {SASL_CB_LOG, as_callback(drop_log), nullptr},
                                                         {SASL_CB_LIST_END, nullptr, nullptr}}};
  return callbacks.data();
}

void* make_mutex() {
  return std::make_unique<std::mutex>().release();
}
int lock_mutex(void* mutex) {
  static_cast<std::mutex*>(mutex)->lock();
  return SASL_OK;
}
int unlock_mutex(void* mutex) {
  static_cast<std::mutex*>(mutex)->unlock();
  return SASL_OK;
}
void free_mutex(void* mutex) {
  std::unique_ptr<std::mutex>(static_cast<std::mutex*>(mutex)).reset();
}

// Once; it stays for the process.
void initialise() {
  static const int initialised = [] {
    sasl_set_mutex(make_mutex, lock_mutex, unlock_mutex, free_mutex);
    return sasl_client_init(callbacks_of_process());
  }();
  if (initialised != SASL_OK)
    fail(ErrorKind::internal, "libsasl2 cannot be initialised: {}",
         sasl_errstring(initialised, nullptr, nullptr));
}

struct ConnectionDispose {
  void operator()(sasl_conn_t* connection) const { sasl_dispose(&connection); }
};

// "SASL(-1): generic failure: GSSAPI Error: Unspecified GSS failure.  Minor code may provide more information
// (Server kafka/b@R not found in Kerberos database)": what helps is in the parentheses.
std::string reason_in(std::string_view detail) {
  const auto open = detail.find('('), general = detail.find("GSSAPI Error");
  if (general == std::string_view::npos) return std::string(detail);
  const auto begin = detail.find('(', general), end = detail.rfind(')');
  if (open == std::string_view::npos || begin == std::string_view::npos || end <= begin)
    return std::string(detail.substr(general));
  return std::string(detail.substr(begin + 1, end - begin - 1));
}

class Login : public SaslLogin {
 public:
  Login(std::shared_ptr<KerberosTickets> tickets, const std::string& service, const std::string& host)
      : tickets_(std::move(tickets)), service_(fmt::format("{}/{}", service, host)) {
    sasl_conn_t* connection = nullptr;
    const int made = sasl_client_new(service.c_str(), host.c_str(), nullptr, nullptr, callbacks_of_login(), 0,
                                     &connection);
    connection_.reset(connection);
    if (made != SASL_OK) fail(ErrorKind::internal, "libsasl2: {}", sasl_errstring(made, nullptr, nullptr));
    const sasl_security_properties_t only_authentication{};
    require(sasl_setprop(connection, SASL_SEC_PROPS, &only_authentication));
    credential_ = tickets_->credential();
    require(sasl_setprop(connection, SASL_GSS_CREDS, credential_.get()));
  }
  Login(const Login&) = delete;
  Login& operator=(const Login&) = delete;
  // What the broker does not take may come from an old ticket for it.
  ~Login() override {
    if (!begun_ || finished_) return;
    try {
      tickets_->forget();
    } catch (const Error&) {  // then there is nothing to forget
    }
  }

  std::string respond(const Context& ctx, std::string_view challenge) override {
    ctx.check();
    const char* message = nullptr;
    unsigned size = 0;
    const int code = std::exchange(begun_, true)
                         ? sasl_client_step(connection_.get(), challenge.data(),
                                            static_cast<unsigned>(challenge.size()), nullptr, &message, &size)
                         : start(message, size);
    require(code);
    last_sent_ = code == SASL_OK;
    return {message ? message : "", size};
  }
  bool last_sent() const override { return last_sent_; }
  void finish(std::string_view) override { finished_ = true; }

 private:
  int start(const char*& message, unsigned& size) {
    const char* chosen = nullptr;
    const int code = sasl_client_start(connection_.get(), "GSSAPI", nullptr, &message, &size, &chosen);
    if (code == SASL_NOMECH)
      fail(ErrorKind::internal, "libsasl2 has no plug-in for GSSAPI in {}", KB_SASL_PLUGINS);
    return code;
  }
  void require(int code) const {
    if (code == SASL_OK || code == SASL_CONTINUE) return;
    const auto reason = reason_in(sasl_errdetail(connection_.get()));
    fail(kerberos_error_kind(reason), "a ticket for {}: {}", service_, reason);
  }

  const std::shared_ptr<KerberosTickets> tickets_;
  const std::string service_;
  GssCredential credential_;
  std::unique_ptr<sasl_conn_t, ConnectionDispose> connection_;
  bool begun_ = false, last_sent_ = false, finished_ = false;
};

class Gssapi : public SaslMechanism {
 public:
  Gssapi(KerberosSettings settings, std::string service)
      : tickets_(std::make_shared<KerberosTickets>(std::move(settings))), service_(std::move(service)) {}
  std::string_view name() const override { return "GSSAPI"; }
  std::string principal() const override { return tickets_->principal(); }
  std::unique_ptr<SaslLogin> begin(const Context& ctx, const Endpoint& broker) override {
    ctx.check();
    return std::make_unique<Login>(tickets_, service_, broker.host);
  }

 private:
  const std::shared_ptr<KerberosTickets> tickets_;
  const std::string service_;
};

}  // namespace

std::shared_ptr<SaslMechanism> gssapi_mechanism(KerberosSettings settings, std::string service) {
  initialise();
  return std::make_shared<Gssapi>(std::move(settings), std::move(service));
}

}  // namespace kb::kafka
