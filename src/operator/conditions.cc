#include "operator/conditions.h"

#include <algorithm>
#include <chrono>

namespace kb::op {

const api::Condition* find_condition(const std::vector<api::Condition>& conditions, std::string_view type) {
  auto it = std::ranges::find(conditions, type, &api::Condition::type);
  return it == conditions.end() ? nullptr : &*it;
}

void Conditions::put(std::string_view type, std::string_view status, std::string_view reason,
                     std::string message) {
  auto it = std::ranges::find(conditions_, type, &api::Condition::type);
  if (it == conditions_.end())
    it = conditions_.insert(it, api::Condition{.type = std::string(type), .status = ""});
  if (it->status != status) it->last_transition_time = std::chrono::floor<std::chrono::seconds>(now_);
  it->status = status;
  it->reason = reason;
  it->message = std::move(message);
  it->observed_generation = generation_;
}

void Conditions::set(std::string_view type, bool is_true, std::string_view reason, std::string message) {
  put(type, is_true ? "True" : "False", reason, std::move(message));
}

void Conditions::set_unknown(std::string_view type, std::string_view reason, std::string message) {
  put(type, "Unknown", reason, std::move(message));
}

void Conditions::remove(std::string_view type) {
  std::erase_if(conditions_, [&](const auto& condition) { return condition.type == type; });
}

}  // namespace kb::op
