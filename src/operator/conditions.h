// Conditions of a status, by the API conventions: a time of transition changes only when the status does.
// Pure.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "api/condition.h"

namespace kb::op {

class Conditions {
 public:
  // Goes on from what stands in a status.
  Conditions(std::vector<api::Condition>& conditions, std::int64_t generation, schema::Timestamp now)
      : conditions_(conditions), generation_(generation), now_(now) {}

  void set(std::string_view type, bool is_true, std::string_view reason, std::string message);
  void set_unknown(std::string_view type, std::string_view reason, std::string message);
  void remove(std::string_view type);

 private:
  void put(std::string_view type, std::string_view status, std::string_view reason, std::string message);

  std::vector<api::Condition>& conditions_;
  const std::int64_t generation_;
  const schema::Timestamp now_;
};

const api::Condition* find_condition(const std::vector<api::Condition>& conditions, std::string_view type);

}  // namespace kb::op
