// Kerberos tickets of a principal by its keytab, in the memory of this process only (MIT krb5;
// https://web.mit.edu/kerberos/krb5-1.20/doc/appdev/gssapi.html). libkrb5 asks the KDC itself, with time
// limits of its own (half a minute for a KDC that does not answer); a Context cannot end that.
#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <gssapi/gssapi.h>

#include "base/error.h"

namespace kb::kafka {

// Which krb5.conf the process goes by, for all that follows; empty: that which it was started with. It
// changes the environment: only while no other thread runs.
void use_kerberos_config(const std::string& path);

// Throws invalid when the text of a krb5.conf would load code or read other files.
void check_kerberos_config(std::string_view text, std::string_view name);

// unavailable when the text says that no KDC can be reached, else denied.
ErrorKind kerberos_error_kind(std::string_view text);

struct GssCredentialRelease {
  void operator()(gss_cred_id_t credential) const;
};
using GssCredential = std::unique_ptr<gss_cred_id_struct, GssCredentialRelease>;

struct KerberosSettings {
  std::string principal;                     // backup@EXAMPLE.COM; without a realm that of krb5.conf
  std::function<std::string()> read_keytab;  // its content: what was rotated is noticed by that
  std::string keytab_path;                   // where libkrb5 finds the same
  std::function<std::string()> read_config;  // of the krb5.conf; null: that of the machine
  std::string config_path;                   // use_kerberos_config() was called with it
};

// Thread-safe.
class KerberosTickets {
 public:
  explicit KerberosTickets(KerberosSettings settings);
  ~KerberosTickets();
  // Tickets are fetched when there are none or half their life is over; libkrb5 sees to that. Throws denied,
  // unavailable, and what the functions that read throw.
  GssCredential credential();
  // A login with them failed: the next credential() fetches them anew.
  void forget();
  const std::string& principal() const { return settings_.principal; }

 private:
  std::string cache_name() const;
  void destroy_cache() const;

  const KerberosSettings settings_;
  std::mutex mutex_;
  std::string keytab_hash_;  // guarded by mutex_
};

}  // namespace kb::kafka
