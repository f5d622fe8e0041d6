#include "kafka/token_claims.h"

#include "base/base64.h"

#include <doctest/doctest.h>

namespace kb::kafka {
namespace {

using namespace std::chrono_literals;

std::string token_of(const std::string& payload) {
  auto part = to_base64(payload);
  while (part.ends_with('=')) part.pop_back();
  for (char& c : part) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return "e30." + part + ".signature";
}

TEST_CASE("subject and expiry are those of the token") {
  const auto claims =
      claims_of(token_of(R"({"sub":"system:serviceaccount:orders:backup","exp":1700000000})"));
  CHECK(claims.subject == "system:serviceaccount:orders:backup");
  CHECK(claims.expires_at == std::chrono::system_clock::time_point(1700000000s));
  CHECK(claims_of(token_of(R"({"exp":1700000000.5})")).expires_at ==
        std::chrono::system_clock::time_point(1700000000500ms));
}

TEST_CASE("what is no JWT, or says nothing that makes sense, has no claims") {
  for (const auto& token : {std::string(), std::string("opaque"), std::string("a.b"), std::string("a.!.c"),
                            token_of("[]"), token_of("{"), token_of(R"({"sub":7,"exp":"soon"})"),
                            token_of(R"({"exp":1e300})"), token_of(R"({"exp":-1})")}) {
    const auto claims = claims_of(token);
    CHECK(claims.subject.empty());
    CHECK(!claims.expires_at);
  }
}

TEST_CASE("a subject is fit for a line of a log") {
  const auto claims = claims_of(token_of("{\"sub\":\"a\\nb" + std::string(500, 'x') + "\"}"));
  CHECK(claims.subject.starts_with("a?bxx"));
  CHECK(claims.subject.size() == 200);
}

}  // namespace
}  // namespace kb::kafka
