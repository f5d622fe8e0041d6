// How to log in at brokers by SASL. Source: the CRDs of kafka.oso.sh/v1alpha1. Additive: OAUTHBEARER,
// AWS_MSK_IAM and GSSAPI with their blocks.
#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "schema/field.h"
#include "schema/problems.h"

namespace kb::api {

enum class SaslMechanism { plain, scram_sha_256, scram_sha_512, oauthbearer, aws_msk_iam, gssapi };
constexpr auto enum_names(SaslMechanism) {
  return std::array<std::string_view, 6>{"PLAIN",       "SCRAM-SHA-256", "SCRAM-SHA-512",
                                         "OAUTHBEARER", "AWS_MSK_IAM",   "GSSAPI"};
}
constexpr bool enum_any_case(SaslMechanism) {
  return true;
}

struct SaslOauth {
  std::optional<std::string> token_endpoint;
  std::optional<std::string> scope;
  std::optional<std::string> ca_key;
  std::optional<std::string> token_key;
  std::optional<std::string> token_file;

  void fields(auto& f) {
    f("tokenEndpoint", token_endpoint,
      "URL (https) where an OpenID Connect provider gives tokens to clients that have an id (`usernameKey`) "
      "and "
      "a secret (`passwordKey`). Additive.");
    f("scope", scope, "Scope to ask for there. Additive.");
    f("caKey", ca_key,
      "Key of the CA certificates that the provider's certificate is checked against; the system's CAs when "
      "there is none. Additive.");
    f("tokenKey", token_key, "Instead of `tokenEndpoint`: key of a token in the secret. Additive.");
    f("tokenFile", token_file,
      "Instead of `tokenEndpoint`: path of a file with a token, such as a projected one that `podTemplate` "
      "mounts. Additive.");
  }
  void check(schema::Check& check) const;
};

struct SaslAws {
  std::optional<std::string> region;
  std::optional<std::string> session_token_key;

  void fields(auto& f) {
    f("region", region, "For brokers whose names do not say it. Additive.");
    f("sessionTokenKey", session_token_key, "Key of the session token of temporary credentials. Additive.");
  }
  void check(schema::Check& check) const;
};

struct SaslKerberos {
  std::string principal;
  std::string service_name = "kafka";
  std::string keytab_key = "keytab";
  std::optional<std::string> config_key;

  void fields(auto& f) {
    f.required("principal", principal, "Who logs in: `backup@EXAMPLE.COM`. Additive.", {.non_empty = true});
    f("serviceName", service_name,
      "First part of the brokers' principals, before their host names. Additive.", {.non_empty = true});
    f("keytabKey", keytab_key, "Key of the keytab in the secret. Additive.");
    f("configKey", config_key,
      "Key of a `krb5.conf` in the secret; realms are found by DNS when there is none. Additive.");
  }
  void check(schema::Check& check) const;
};

struct SaslSecret {
  std::string name;
  SaslMechanism mechanism = SaslMechanism::plain;
  std::string username_key = "username";
  std::string password_key = "password";
  std::optional<SaslOauth> oauth;
  std::optional<SaslAws> aws;
  std::optional<SaslKerberos> kerberos;

  void fields(auto& f) {
    f.required("name", name,
               "Secret with what the mechanism needs: user name and password, or what its block says.");
    f.required("mechanism", mechanism, "How to log in; upper and lower case are the same.");
    f("usernameKey", username_key, "Key of the user name; of the client id, or of the access key id of AWS.");
    f("passwordKey", password_key,
      "Key of the password; of the client secret, or of the secret access key of AWS.");
    f("oauth", oauth, "For OAUTHBEARER. Additive.");
    f("aws", aws, "For AWS_MSK_IAM. Additive.");
    f("kerberos", kerberos, "For GSSAPI. Additive.");
  }
  void check(schema::Check& check) const;
};

}  // namespace kb::api
