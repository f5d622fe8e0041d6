#include "api/sasl_secret.h"

#include <algorithm>

#include "api/name_checks.h"

namespace kb::api {
namespace {

void check_optional_key(schema::Check& check, std::string_view field, const std::optional<std::string>& key) {
  if (key) check_secret_key(check, field, *key);
}

// Neither a blank nor a control character: for what goes into a URL or a file's path.
bool is_one_word(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; });
}

bool is_region(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace

void SaslOauth::check(schema::Check& check) const {
  const int sources = token_endpoint.has_value() + token_key.has_value() + token_file.has_value();
  if (sources != 1)
    check.problem("tokenEndpoint", "or tokenKey or tokenFile is required, and only one of them");
  if (token_endpoint && (!token_endpoint->starts_with("https://") || !is_one_word(*token_endpoint)))
    check.problem("tokenEndpoint", "must be a URL that begins with https://: the client's secret goes there");
  if (scope && !token_endpoint) check.problem("scope", "is for tokenEndpoint");
  if (ca_key && !token_endpoint) check.problem("caKey", "is for tokenEndpoint");
  if (token_file && (!token_file->starts_with('/') || !is_one_word(*token_file)))
    check.problem("tokenFile", "must be an absolute path");
  check_optional_key(check, "caKey", ca_key);
  check_optional_key(check, "tokenKey", token_key);
}

void SaslAws::check(schema::Check& check) const {
  if (region && !is_region(*region)) check.problem("region", "must be a region of AWS, not '{}'", *region);
  check_optional_key(check, "sessionTokenKey", session_token_key);
}

void SaslKerberos::check(schema::Check& check) const {
  if (!is_one_word(principal))
    check.problem("principal", "must be a Kerberos principal, not '{}'", principal);
  if (!is_one_word(service_name) || service_name.find_first_of("/@") != std::string::npos)
    check.problem("serviceName", "must be the first part of a principal, without '/' and '@'");
  check_secret_key(check, "keytabKey", keytab_key);
  check_optional_key(check, "configKey", config_key);
}

void SaslSecret::check(schema::Check& check) const {
  check_object_name(check, "name", name);
  check_secret_key(check, "usernameKey", username_key);
  check_secret_key(check, "passwordKey", password_key);
  auto check_block = [&](std::string_view field, bool there, SaslMechanism its, bool needed) {
    if (there && mechanism != its)
      check.problem(field, "is for mechanism {}, not {}", schema::name_of(its), schema::name_of(mechanism));
    if (!there && needed && mechanism == its)
      check.problem(field, "is required by mechanism {}", schema::name_of(its));
  };
  check_block("oauth", oauth.has_value(), SaslMechanism::oauthbearer, true);
  check_block("aws", aws.has_value(), SaslMechanism::aws_msk_iam, false);
  check_block("kerberos", kerberos.has_value(), SaslMechanism::gssapi, true);
}

}  // namespace kb::api
