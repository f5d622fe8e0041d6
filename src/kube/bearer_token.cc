#include "kube/bearer_token.h"

#include "base/error.h"
#include "base/log.h"
#include "kube/small_file.h"

namespace kb::kube {
namespace {

constexpr auto age_max = std::chrono::minutes(1);

}  // namespace

BearerToken::BearerToken(std::string token, std::string file)
    : file_(std::move(file)), token_(std::move(token)) {}

void BearerToken::read() {
  try {
    auto text = read_small_file(file_);
    auto end = text.find_last_not_of(" \t\r\n");
    if (end == std::string::npos) fail(ErrorKind::not_found, "{} is empty", file_);
    token_ = text.substr(0, end + 1);
  } catch (const Error& error) {
    if (token_.empty()) throw error.while_doing("reading the token");
    LOG_WARN("the token is not read again: {}", error.what());
  }
  read_at_ = Clock::now();
}

std::string BearerToken::get() {
  std::lock_guard lock(mutex_);
  if (!file_.empty() && (token_.empty() || Clock::now() - read_at_ >= age_max)) read();
  return token_;
}

bool BearerToken::changed_since(const std::string& refused) {
  std::lock_guard lock(mutex_);
  if (file_.empty()) return false;
  if (token_ == refused) read();
  return token_ != refused;
}

}  // namespace kb::kube
