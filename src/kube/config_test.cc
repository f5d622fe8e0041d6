#include "kube/config.h"

#include <fstream>

#include "base/error.h"
#include "base/temporary_directory.h"
#include "kube/bearer_token.h"

#include <doctest/doctest.h>

namespace kb::kube {
namespace {

struct Folder : TemporaryDirectory {
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(path_of(name), std::ios::trunc) << text;
    return path_of(name);
  }
};

std::string yaml(const std::string& cluster, const std::string& user) {
  return fmt::format(R"(
apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {}}}]
users: [{{name: u, user: {}}}]
contexts:
- {{name: one, context: {{cluster: c, user: u, namespace: kafka}}}}
- {{name: two, context: {{cluster: c}}}}
- {{name: three, context: {{cluster: d, user: u}}}}
current-context: one
preferences: {{}}
)",
                     cluster, user);
}

TEST_CASE("a kubeconfig of files") {
  Folder folder;
  folder.write("ca.crt", "authority");
  folder.write("me.crt", "certificate");
  folder.write("me.key", "key");
  auto path = folder.write("config", yaml("{server: 'https://h:6443', certificate-authority: ca.crt}",
                                          "{client-certificate: me.crt, client-key: me.key, tokenFile: t}"));
  auto config = read_kubeconfig(path);
  CHECK_EQ(config.server, "https://h:6443");
  CHECK_EQ(config.http.ca_pem, "authority");
  CHECK_EQ(config.http.client_cert_pem, "certificate");
  CHECK_EQ(config.http.client_key_pem, "key");
  CHECK_EQ(config.token_file, folder.path_of("t"));
  CHECK_EQ(config.default_namespace, "kafka");
  auto other = read_kubeconfig(path, "two");
  CHECK_EQ(other.token_file, "");
  CHECK_EQ(other.default_namespace, "default");
}

TEST_CASE("a kubeconfig with everything in it") {
  Folder folder;
  auto path = folder.write(
      "config", yaml("{server: 'https://h', certificate-authority: x, certificate-authority-data: YWJjZA==}",
                     "{token: secret, tokenFile: x, client-certificate-data: YWJj, client-key-data: YWI=}"));
  auto config = read_kubeconfig(path);
  CHECK_EQ(config.http.ca_pem, "abcd");
  CHECK_EQ(config.http.client_cert_pem, "abc");
  CHECK_EQ(config.http.client_key_pem, "ab");
  CHECK_EQ(config.token, "secret");
  CHECK_EQ(config.token_file, "");
}

TEST_CASE("what a kubeconfig must not have is named, secrets are not") {
  Folder folder;
  const std::string server = "{server: 'https://h'}";
  auto message = [&](const std::string& cluster, const std::string& user, const std::string& context = "") {
    try {
      read_kubeconfig(folder.write("config", yaml(cluster, user)), context);
    } catch (const Error& error) {
      CHECK_EQ(error.kind(), ErrorKind::invalid);
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  auto names = [](const std::string& text, std::string_view piece) {
    bool found = text.find(piece) != std::string::npos;
    if (!found) MESSAGE(text);
    return found;
  };
  CHECK(names(message("{}", "{}"), "clusters[0].cluster.server"));
  CHECK(names(message("{server: h}", "{}"), "clusters[c].cluster.server"));
  CHECK(names(message("{server: 'https://h', insecure-skip-tls-verify: true}", "{}"), "insecure-skip-tls"));
  CHECK(names(message("{server: 'https://h', tls-server-name: x}", "{}"), "tls-server-name"));
  CHECK(names(message("{server: 'https://h', proxy-url: x}", "{}"), "proxy-url"));
  CHECK(names(message("{server: 'https://h', certificate-authority-data: '*'}", "{}"), "authority-data"));
  CHECK(names(message(server, "{exec: {command: aws}}"), "users[u].user.exec"));
  CHECK(names(message(server, "{auth-provider: {name: x}}"), "auth-provider"));
  CHECK(names(message(server, "{username: x, password: y}"), "username"));
  CHECK(names(message(server, "{as: x}"), "user.as"));
  CHECK(names(message(server, "{client-certificate-data: YWJj}"), "client-key"));
  CHECK(names(message(server, "{}", "four"), "'four'"));
  CHECK(names(message(server, "{}", "three"), "'d'"));
  auto number = message(server, "{token: 123456}");
  CHECK(names(number, "users[u].user.token"));
  CHECK_FALSE(number.find("123456") != std::string::npos);
  CHECK_THROWS_AS(read_kubeconfig(folder.path_of("none")), Error);
  try {
    read_kubeconfig(folder.write("config", yaml("{server: 'https://h', certificate-authority: no}", "{}")));
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK_EQ(error.kind(), ErrorKind::not_found);
    CHECK(names(error.what(), "certificate-authority"));
  }
}

TEST_CASE("a token is read again when it was refused, and an unreadable file keeps the last one") {
  Folder folder;
  auto path = folder.write("token", "one\n");
  BearerToken token("", path);
  CHECK_EQ(token.get(), "one");
  CHECK_FALSE(token.changed_since("one"));
  folder.write("token", "two");
  CHECK_EQ(token.get(), "one");  // a minute has not passed
  CHECK(token.changed_since("one"));
  CHECK_EQ(token.get(), "two");
  CHECK(token.changed_since("one"));  // another thread was refused with the old one
  folder.write("token", "");
  CHECK_FALSE(token.changed_since("two"));
  CHECK_EQ(token.get(), "two");
  CHECK_FALSE(BearerToken("fixed", "").changed_since("fixed"));
  CHECK_THROWS_AS(BearerToken("", folder.path_of("none")).get(), Error);
}

}  // namespace
}  // namespace kb::kube
