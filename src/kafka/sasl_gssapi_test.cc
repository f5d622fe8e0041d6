#include "kafka/sasl_gssapi.h"

#include <cstdlib>
#include <fstream>

#include "base/failure_of.h"
#include "base/temporary_directory.h"

#include <doctest/doctest.h>

// What needs a KDC is in tests/e2e/sasl_mechanisms.sh.
namespace kb::kafka {
namespace {

struct Files {
  TemporaryDirectory directory;
  std::string keytab = "\x05\x02";  // the head of a keytab without entries
  std::string config = "[libdefaults]\n  default_realm = TEST.LOCAL\n  dns_lookup_kdc = false\n";
  std::string keytab_path = directory.path_of("keytab"), config_path = directory.path_of("krb5.conf");

  ~Files() { use_kerberos_config(""); }
  std::shared_ptr<SaslMechanism> mechanism() {
    std::ofstream(keytab_path) << keytab;
    std::ofstream(config_path) << config;
    use_kerberos_config(config_path);
    return gssapi_mechanism({.principal = "backup",
                             .read_keytab = [this] { return keytab; },
                             .keytab_path = keytab_path,
                             .read_config = [this] { return config; },
                             .config_path = config_path},
                            "kafka");
  }
  Error error() {
    return failure_of([&] { mechanism()->begin({}, {"broker", 9093}); });
  }
};

TEST_CASE("name and principal are known before anything is asked") {
  Files files;
  const auto gssapi = files.mechanism();
  CHECK(gssapi->name() == "GSSAPI");
  CHECK(gssapi->principal() == "backup");
}

TEST_CASE("a keytab without the principal's key, or of another format, is told from a KDC's refusal") {
  Files files;
  auto error = files.error();
  CHECK_EQ(error.kind(), ErrorKind::denied);
  CHECK_EQ(std::string(error.what()), fmt::format("the key of backup in {}: No key table entry found for "
                                                  "backup@TEST.LOCAL",
                                                  files.keytab_path));
  files.keytab = "geheim";
  error = files.error();
  CHECK_EQ(error.kind(), ErrorKind::denied);
  CHECK_EQ(
      std::string(error.what()),
      fmt::format("the key of backup in {}: Unsupported key table format version number", files.keytab_path));
}

TEST_CASE("a krb5.conf that loads code or reads other files is refused") {
  for (auto line :
       {"include /etc/passwd", "\tincludedir /etc", "[plugins]\n clpreauth = {\n module = x:/tmp/x.so\n }",
        "  plugin_base_dir = /tmp", "module=x:/tmp/x.so", "[plugins]\nccselect = { module = x:/x.so }",
        "[plugins]\nccselect={module = x:/x.so}", "module /etc/x.so:f"}) {
    Files files;
    files.config += std::string("\n") + line + "\n";
    const auto error = files.error();
    CHECK_EQ(error.kind(), ErrorKind::invalid);
    CHECK(std::string(error.what()).starts_with(files.config_path + ": '"));
  }
  check_kerberos_config("# nothing\n[realms]\n TEST.LOCAL = {\n  kdc = included.example.com\n }\n",
                        "krb5.conf");
}

TEST_CASE("the process goes by the krb5.conf that it was given last, else by its own") {
  const char* before = std::getenv("KRB5_CONFIG");
  const std::string own = before ? before : "";
  use_kerberos_config("/one");
  CHECK(std::string(std::getenv("KRB5_CONFIG")) == "/one");
  use_kerberos_config("");
  const char* after = std::getenv("KRB5_CONFIG");
  CHECK((after ? std::string(after) : "") == own);
}

TEST_CASE("a KDC that cannot be reached may come back, everything else is a refusal") {
  CHECK_EQ(kerberos_error_kind("Cannot contact any KDC for realm 'TEST.LOCAL'"), ErrorKind::unavailable);
  CHECK_EQ(kerberos_error_kind("Decrypt integrity check failed"), ErrorKind::denied);
}

}  // namespace
}  // namespace kb::kafka
