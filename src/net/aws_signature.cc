#include "net/aws_signature.h"

#include <array>
#include <cctype>
#include <string_view>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/hmac.h>

#include "base/checksum.h"
#include "base/error.h"

namespace kb {
namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
  unsigned size = 0;
  const bool done =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), bytes.data(), &size) != nullptr;
  CHECK(done);
  return {reinterpret_cast<const char*>(bytes.data()), size};
}

// Everything but RFC 3986's unreserved characters.
std::string uri_encoded(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) ||
        std::string_view("-._~").find(c) != std::string_view::npos)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

// A map's order is that of the names, and the encoding changes nothing in it for the names there are.
std::string query_of(const std::map<std::string, std::string>& parameters) {
  std::string query;
  for (const auto& [name, value] : parameters)
    query += fmt::format("{}{}={}", query.empty() ? "" : "&", uri_encoded(name), uri_encoded(value));
  return query;
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

}  // namespace

std::map<std::string, std::string> aws_presigned(const AwsCredentials& credentials,
                                                 const AwsPresign& request) {
  const auto utc = fmt::gmtime(std::chrono::system_clock::to_time_t(request.time));
  const auto date = fmt::format("{:%Y%m%d}", utc), time = fmt::format("{:%Y%m%dT%H%M%SZ}", utc);
  const auto scope = fmt::format("{}/{}/{}/aws4_request", date, request.region, request.service);

  auto parameters = request.parameters;
  parameters["X-Amz-Algorithm"] = algorithm;
  parameters["X-Amz-Credential"] = credentials.access_key_id + "/" + scope;
  parameters["X-Amz-Date"] = time;
  parameters["X-Amz-Expires"] = fmt::format("{}", request.valid.count());
  parameters["X-Amz-SignedHeaders"] = "host";
  if (!credentials.session_token.empty()) parameters["X-Amz-Security-Token"] = credentials.session_token;

  const auto canonical =
      fmt::format("GET\n/\n{}\nhost:{}\n\nhost\n{}", query_of(parameters), request.host, sha256_hex(""));
  const auto to_sign = fmt::format("{}\n{}\n{}\n{}", algorithm, time, scope, sha256_hex(canonical));
  auto key = hmac_sha256("AWS4" + credentials.secret_access_key, date);
  for (std::string_view part : {std::string_view(request.region), std::string_view(request.service),
                                std::string_view("aws4_request")})
    key = hmac_sha256(key, part);
  parameters["X-Amz-Signature"] = hex(hmac_sha256(key, to_sign));
  return parameters;
}

}  // namespace kb
