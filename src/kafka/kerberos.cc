#include "kafka/kerberos.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

#include <fmt/format.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <krb5.h>

#include "base/checksum.h"

namespace kb::kafka {
namespace {

constexpr const char* config_variable = "KRB5_CONFIG";

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? std::optional<std::string>(value) : std::nullopt;
}

std::string status_text(OM_uint32 code, int kind) {
  std::string text;
  OM_uint32 minor = 0, more = 0;
  do {
    gss_buffer_desc piece = GSS_C_EMPTY_BUFFER;
    if (gss_display_status(&minor, code, kind, GSS_C_NO_OID, &more, &piece) != GSS_S_COMPLETE) break;
    text += fmt::format("{}{}", text.empty() ? "" : ", ",
                        std::string_view(static_cast<const char*>(piece.value), piece.length));
    gss_release_buffer(&minor, &piece);
  } while (more != 0);
  return text;
}

void require_gss(OM_uint32 major, OM_uint32 minor, std::string_view doing) {
  if (!GSS_ERROR(major)) return;
  const auto text = minor != 0 ? status_text(minor, GSS_C_MECH_CODE) : status_text(major, GSS_C_GSS_CODE);
  fail(kerberos_error_kind(text), "{}: {}", doing, text);
}

struct NameRelease {
  void operator()(gss_name_t name) const {
    OM_uint32 minor = 0;
    gss_release_name(&minor, &name);
  }
};
using GssName = std::unique_ptr<gss_name_struct, NameRelease>;

GssName name_of(const std::string& principal) {
  gss_buffer_desc text{principal.size(), const_cast<char*>(principal.data())};
  gss_name_t name = GSS_C_NO_NAME;
  OM_uint32 minor = 0;
  const auto major = gss_import_name(&minor, &text, GSS_KRB5_NT_PRINCIPAL_NAME, &name);
  GssName owned(name);
  require_gss(major, minor, "the principal's name");
  return owned;
}

// What libkrb5 needs for all it does.
class Krb5Context {
 public:
  Krb5Context() { require(krb5_init_context(&context_), "libkrb5"); }
  ~Krb5Context() {
    if (keytab_) krb5_kt_close(context_, keytab_);
    krb5_free_principal(context_, principal_);
    krb5_free_context(context_);
  }
  Krb5Context(const Krb5Context&) = delete;
  Krb5Context& operator=(const Krb5Context&) = delete;

  // Throws denied when the keytab has no key of the principal, or is none.
  void find_key(const std::string& path, const std::string& principal) {
    const auto doing = fmt::format("the key of {} in {}", principal, path);
    require(krb5_parse_name(context_, principal.c_str(), &principal_), doing);
    require(krb5_kt_resolve(context_, ("FILE:" + path).c_str(), &keytab_), doing);
    krb5_keytab_entry entry;
    require(krb5_kt_get_entry(context_, keytab_, principal_, 0, 0, &entry), doing);
    krb5_free_keytab_entry_contents(context_, &entry);
  }
  void destroy_cache(const std::string& name) {
    krb5_ccache cache = nullptr;
    if (krb5_cc_resolve(context_, name.c_str(), &cache) == 0) krb5_cc_destroy(context_, cache);
  }

 private:
  void require(krb5_error_code code, std::string_view doing) const {
    if (code == 0) return;
    const char* reason = krb5_get_error_message(context_, code);
    const std::string text = reason ? reason : "";
    krb5_free_error_message(context_, reason);
    fail(kerberos_error_kind(text), "{}: {}", doing, text);
  }

  krb5_context context_ = nullptr;
  krb5_keytab keytab_ = nullptr;
  krb5_principal principal_ = nullptr;
};

// A word as libkrb5 sees it: between blanks and the signs of its grammar.
std::string_view take_word(std::string_view& text) {
  constexpr std::string_view between = " \t\r\n={}[]*\"";
  text.remove_prefix(std::min(text.find_first_not_of(between), text.size()));
  const auto word = text.substr(0, text.find_first_of(between));
  text.remove_prefix(word.size());
  return word;
}

}  // namespace

void use_kerberos_config(const std::string& path) {
  static const auto original = variable(config_variable);
  const auto wanted = path.empty() ? original : std::optional(path);
  if (wanted)
    ::setenv(config_variable, wanted->c_str(), 1);
  else
    ::unsetenv(config_variable);
  // libgssapi would load what this file names.
  ::unsetenv("GSS_MECH_CONFIG");
}

void check_kerberos_config(std::string_view text, std::string_view name) {
  constexpr std::array<std::string_view, 5> refused = {"include", "includedir", "module", "plugin_base_dir",
                                                       "db_module_dir"};
  for (auto word = take_word(text); !word.empty(); word = take_word(text))
    if (std::ranges::find(refused, word) != refused.end())
      fail(ErrorKind::invalid, "{}: '{}' is not allowed: it would read other files or load code", name, word);
}

ErrorKind kerberos_error_kind(std::string_view text) {
  return text.find("Cannot contact any KDC") != std::string_view::npos ? ErrorKind::unavailable
                                                                       : ErrorKind::denied;
}

void GssCredentialRelease::operator()(gss_cred_id_t credential) const {
  OM_uint32 minor = 0;
  gss_release_cred(&minor, &credential);
}

KerberosTickets::KerberosTickets(KerberosSettings settings) : settings_(std::move(settings)) {}

KerberosTickets::~KerberosTickets() {
  try {
    destroy_cache();
  } catch (const Error&) {  // then there is none
  }
}

std::string KerberosTickets::cache_name() const {
  return fmt::format("MEMORY:kafka-backup-{}", fmt::ptr(this));
}

GssCredential KerberosTickets::credential() {
  if (settings_.read_config) {
    CHECK(variable(config_variable) == settings_.config_path);
    check_kerberos_config(settings_.read_config(), settings_.config_path);
  }
  const auto hash = sha256_hex(settings_.read_keytab());
  {
    std::lock_guard lock(mutex_);
    if (hash != keytab_hash_) destroy_cache();
    keytab_hash_ = hash;
  }
  Krb5Context().find_key(settings_.keytab_path, settings_.principal);
  const auto name = name_of(settings_.principal);
  const auto cache = cache_name(), keytab = "FILE:" + settings_.keytab_path;
  gss_key_value_element_desc elements[] = {{"client_keytab", keytab.c_str()}, {"ccache", cache.c_str()}};
  const gss_key_value_set_desc store{2, elements};
  gss_OID_set_desc kerberos{1, const_cast<gss_OID>(gss_mech_krb5)};
  gss_cred_id_t credential = GSS_C_NO_CREDENTIAL;
  OM_uint32 minor = 0;
  const auto major = gss_acquire_cred_from(&minor, name.get(), GSS_C_INDEFINITE, &kerberos, GSS_C_INITIATE,
                                           &store, &credential, nullptr, nullptr);
  GssCredential owned(credential);
  require_gss(major, minor, fmt::format("tickets by the keytab {}", settings_.keytab_path));
  return owned;
}

void KerberosTickets::forget() {
  std::lock_guard lock(mutex_);
  destroy_cache();
}

void KerberosTickets::destroy_cache() const {
  Krb5Context().destroy_cache(cache_name());
}

}  // namespace kb::kafka
