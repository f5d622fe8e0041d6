#include "kafka/sasl_msk_iam.h"

#include <algorithm>
#include <cctype>
#include <mutex>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/error.h"

namespace kb::kafka {
namespace {

namespace json = boost::json;

constexpr std::string_view payload_version = "2020_10_22";
constexpr std::string_view user_agent = "kafka-backup";
constexpr auto valid = std::chrono::minutes(15);

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool is_region(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) || c == '-'; });
}

class Login : public SaslLogin {
 public:
  explicit Login(std::string payload) : payload_(std::move(payload)) {}
  std::string respond(const Context&, std::string_view) override { return payload_; }
  bool last_sent() const override { return true; }
  // A broker that lets us in says a version and the request's id; Amazon's library takes nothing else either.
  void finish(std::string_view challenge) override {
    boost::system::error_code failed;
    const auto value = json::parse(challenge, failed);
    const auto* object = failed ? nullptr : value.if_object();
    const auto* version = object ? object->if_contains("version") : nullptr;
    if (!version || !version->is_string() || version->get_string() != payload_version ||
        !object->contains("request-id"))
      fail(ErrorKind::denied, "the broker's answer is not that of Amazon MSK");
  }

 private:
  const std::string payload_;
};

class MskIam : public SaslMechanism {
 public:
  MskIam(ReadAwsCredentials read, std::optional<std::string> region)
      : read_(std::move(read)), region_(std::move(region)) {}

  std::string_view name() const override { return "AWS_MSK_IAM"; }
  std::string principal() const override {
    std::lock_guard lock(mutex_);
    return access_key_id_;
  }
  std::unique_ptr<SaslLogin> begin(const Context& ctx, const Endpoint& broker) override {
    const auto credentials = read_(ctx);
    {
      std::lock_guard lock(mutex_);
      access_key_id_ = credentials.access_key_id;
    }
    const auto region = region_ ? region_ : msk_region(broker.host);
    if (!region)
      throw Error(ErrorKind::invalid, fmt::format("the name {} does not say the region of AWS", broker.host),
                  "say it in spec.kafkaCluster.saslSecret.aws.region");
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    return std::make_unique<Login>(msk_iam_payload(credentials, broker.host, *region, now));
  }

 private:
  const ReadAwsCredentials read_;
  const std::optional<std::string> region_;
  mutable std::mutex mutex_;
  std::string access_key_id_;  // guarded by mutex_
};

}  // namespace

std::optional<std::string> msk_region(std::string_view host) {
  for (std::string_view end : {".amazonaws.com", ".amazonaws.com.cn"}) {
    if (!host.ends_with(end)) continue;
    const auto name = host.substr(0, host.size() - end.size());
    const auto dot = name.rfind('.');
    if (dot == std::string_view::npos) return std::nullopt;
    const auto service = name.substr(0, dot), region = name.substr(dot + 1);
    if (!is_region(region)) return std::nullopt;
    if (service.ends_with(".kafka") || service.ends_with(".kafka-serverless")) return std::string(region);
  }
  return std::nullopt;
}

std::string msk_iam_payload(const AwsCredentials& credentials, const std::string& host,
                            const std::string& region, std::chrono::sys_seconds now) {
  const AwsPresign request{.host = host,
                           .region = region,
                           .service = "kafka-cluster",
                           .time = now,
                           .valid = valid,
                           .parameters = {{"Action", "kafka-cluster:Connect"}}};
  json::object payload{{"version", payload_version}, {"host", host}, {"user-agent", user_agent}};
  for (const auto& [name, value] : aws_presigned(credentials, request)) payload[lower_case(name)] = value;
  return json::serialize(payload);
}

std::shared_ptr<SaslMechanism> msk_iam_mechanism(ReadAwsCredentials read, std::optional<std::string> region) {
  return std::make_shared<MskIam>(std::move(read), std::move(region));
}

}  // namespace kb::kafka
