// SASL AWS_MSK_IAM: a broker of Amazon MSK takes a signed request instead of a password. The exchange and the
// payload are those of Amazon's library software.amazon.msk:aws-msk-iam-auth
// (https://github.com/aws/aws-msk-iam-auth#details).
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "kafka/sasl.h"
#include "net/aws_signature.h"

namespace kb::kafka {

// Called at each login, from any thread; may ask somebody who lends credentials.
using ReadAwsCredentials = std::function<AwsCredentials(const Context&)>;

// "eu-west-1" of b-1.name.abc123.c2.kafka.eu-west-1.amazonaws.com, also of kafka-serverless and of
// amazonaws.com.cn; no value for another host.
std::optional<std::string> msk_region(std::string_view host);

// The client's only message: a JSON object of strings. `host` is the broker's name without the port.
std::string msk_iam_payload(const AwsCredentials& credentials, const std::string& host,
                            const std::string& region, std::chrono::sys_seconds now);

// `region` for brokers whose names do not say it; it wins over the name's.
std::shared_ptr<SaslMechanism> msk_iam_mechanism(ReadAwsCredentials read, std::optional<std::string> region);

}  // namespace kb::kafka
