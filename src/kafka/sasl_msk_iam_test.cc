#include "kafka/sasl_msk_iam.h"

#include <fstream>

#include <boost/json/parse.hpp>

#include "base/error.h"

#include <doctest/doctest.h>

namespace kb::kafka {
namespace {

namespace json = boost::json;

std::string text(const json::value& object, std::string_view name) {
  return std::string(object.at(name).as_string());
}

TEST_CASE("payloads are those of Amazon's library") {
  std::ifstream file(KB_TEST_DATA "/msk-iam/payloads.jsonl");  // by tests/support/msk_iam_payloads.sh
  int compared = 0;
  for (std::string line; std::getline(file, line); ++compared) {
    const auto known = json::parse(line);
    const auto host = text(known, "host");
    const AwsCredentials credentials{text(known, "access_key_id"), text(known, "secret_access_key"),
                                     text(known, "session_token")};
    const auto region = msk_region(host);
    REQUIRE(region == text(known, "region"));
    const auto payload =
        msk_iam_payload(credentials, host, *region,
                        std::chrono::sys_seconds(std::chrono::seconds(known.at("time").as_int64())));
    CHECK(json::parse(payload) == known.at("payload"));
    CHECK(payload.find(credentials.secret_access_key) == std::string::npos);
  }
  CHECK(compared == 30);
}

TEST_CASE("the region is a part of Amazon's host names only") {
  CHECK(msk_region("b-1.x.abc.c2.kafka.eu-west-1.amazonaws.com") == "eu-west-1");
  CHECK(msk_region("b-1.x.abc.c2.kafka.cn-north-1.amazonaws.com.cn") == "cn-north-1");
  for (auto host : {"", "127.0.0.1", "broker.example.com", "kafka.eu-west-1.amazonaws.com.example.com",
                    "s3.eu-west-1.amazonaws.com", "amazonaws.com", ".kafka..amazonaws.com",
                    "eu-west-1.amazonaws.com", "b-1.kafka.eu west.amazonaws.com"})
    CHECK(!msk_region(host));
}

std::shared_ptr<SaslMechanism> mechanism(std::optional<std::string> region = {}) {
  return msk_iam_mechanism(
      [](const Context&) {
        return AwsCredentials{"AKIDEXAMPLE", "secret", ""};
      },
      std::move(region));
}

TEST_CASE("a login is one message, made for the broker's name and the region that is said") {
  const auto iam = mechanism("eu-central-2");
  CHECK(iam->name() == "AWS_MSK_IAM");
  const auto login = iam->begin({}, {"b-1.x.kafka.us-east-1.amazonaws.com", 9098});
  CHECK(iam->principal() == "AKIDEXAMPLE");
  const auto message = json::parse(login->respond({}, ""));
  CHECK(login->last_sent());
  CHECK(text(message, "host") == "b-1.x.kafka.us-east-1.amazonaws.com");
  CHECK(text(message, "x-amz-credential").ends_with("/eu-central-2/kafka-cluster/aws4_request"));
  login->finish(R"({"version":"2020_10_22","request-id":"38bd3a2f"})");
}

TEST_CASE("a broker that does not answer as Amazon's do is not believed") {
  for (auto answer :
       {"", "{}", "no", R"({"version":"2019_01_01","request-id":"x"})", R"({"version":"2020_10_22"})"}) {
    const auto login = mechanism("eu-central-2")->begin({}, {"broker", 9098});
    login->respond({}, "");
    CHECK_THROWS_WITH_AS(login->finish(answer), "the broker's answer is not that of Amazon MSK", Error);
  }
}

TEST_CASE("without a region nothing is signed") {
  CHECK_THROWS_WITH_AS(mechanism()->begin({}, {"broker.example.com", 9098}),
                       "the name broker.example.com does not say the region of AWS", Error);
}

}  // namespace
}  // namespace kb::kafka
