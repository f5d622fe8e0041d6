#include "kafka/sasl_oauthbearer.h"

#include <filesystem>
#include <fstream>
#include <functional>

#include "base/error.h"
#include "base/failure_of.h"
#include "base/temporary_directory.h"

#include <doctest/doctest.h>

namespace kb::kafka {
namespace {

// {"sub":"backup"} and {"sub":"backup","exp":1600000000}
constexpr std::string_view of_backup = "e30.eyJzdWIiOiJiYWNrdXAifQ.c2ln";
constexpr std::string_view expired = "e30.eyJzdWIiOiJiYWNrdXAiLCJleHAiOjE2MDAwMDAwMDB9.c2ln";

struct FileAndMechanism {
  TemporaryDirectory directory;
  std::string path = directory.path_of("token");
  std::shared_ptr<SaslMechanism> mechanism = oauthbearer_mechanism(std::make_shared<TokenFile>(path));

  void write(std::string_view text) const { std::ofstream(path) << text; }
  std::unique_ptr<SaslLogin> begin() const { return mechanism->begin({}, {"broker", 9093}); }
};

TEST_CASE("one message shows the token, and an empty answer lets us in") {
  FileAndMechanism file;
  file.write(std::string(of_backup) + "\n");
  CHECK(file.mechanism->name() == "OAUTHBEARER");
  const auto login = file.begin();
  CHECK(login->respond({}, "") ==
        "n,,\x01"
        "auth=Bearer " +
            std::string(of_backup) + "\x01\x01");
  CHECK(login->last_sent());
  login->finish("");
  CHECK(file.mechanism->principal() == "backup");
}

TEST_CASE("a token that was rotated counts from the next login on") {
  FileAndMechanism file;
  file.write("old");
  file.begin();
  CHECK(file.mechanism->principal() == "the token of " + file.path);
  file.write(of_backup);
  CHECK(file.begin()->respond({}, "").find(of_backup) != std::string::npos);
}

TEST_CASE("a refusal says the broker's word, and of an expired token since when") {
  FileAndMechanism file;
  file.write(expired);
  const auto login = file.begin();
  login->respond({}, "");
  const auto error = failure_of([&] { login->finish(R"({"status":"invalid_token","scope":"secret"})"); });
  CHECK_EQ(error.kind(), ErrorKind::denied);
  CHECK_EQ(std::string(error.what()),
           "the broker refuses the token: invalid_token; it expired at 2020-09-13T12:26:40Z");
  CHECK(login->farewell() == "\x01");
}

TEST_CASE("a refusal that is not JSON is one as well") {
  FileAndMechanism file;
  file.write(of_backup);
  for (std::string_view answer : {"no", "[]", R"({"status":7})"}) {
    const auto login = file.begin();
    login->respond({}, "");
    CHECK_EQ(std::string(failure_of([&] { login->finish(answer); }).what()),
             "the broker refuses the token: without a reason");
  }
}

TEST_CASE("a file that is missing, empty or holds no token names itself, never its content") {
  FileAndMechanism file;
  CHECK_EQ(failure_of([&] { file.begin(); }).kind(), ErrorKind::not_found);
  file.write(" \n");
  CHECK_EQ(std::string(failure_of([&] { file.begin(); }).what()), file.path + " is empty");
  for (const auto& text : {std::string("geheim\x01"
                                       "auth=x"),
                           std::string("geheim\nzwei"), std::string(300000, 'x')}) {
    file.write(text);
    const auto error = failure_of([&] { file.begin(); });
    CHECK_EQ(error.kind(), ErrorKind::invalid);
    CHECK_EQ(std::string(error.what()), file.path + " is not a bearer token (RFC 6750 section 2.1)");
  }
}

}  // namespace
}  // namespace kb::kafka
