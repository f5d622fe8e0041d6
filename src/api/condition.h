// Conditions of a resource's status. Source: the API conventions of Kubernetes ("Typical status properties",
// https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md)
// and the CRDs of kafka.oso.sh/v1alpha1, whose fields these are.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "schema/field.h"

namespace kb::api {

struct Condition {
  std::string type;
  std::string status = "Unknown";  // True, False or Unknown
  schema::Timestamp last_transition_time{};
  std::optional<std::string> reason;
  std::optional<std::string> message;
  std::optional<std::int64_t> observed_generation;

  void fields(auto& f) {
    f.required("type", type, "What the condition is about.");
    f.required("status", status, "True, False or Unknown.");
    f.required("lastTransitionTime", last_transition_time, "When the status last changed.");
    f("reason", reason, "One word for programs.");
    f("message", message, "A sentence for people.");
    f("observedGeneration", observed_generation,
      "The generation of the resource that it speaks of. Additive.");
  }
  bool operator==(const Condition&) const = default;
};

// The fields that every kind's status has.
struct CommonStatus {
  std::optional<std::string> phase;
  std::optional<std::string> message;
  std::optional<std::int64_t> observed_generation;
  std::vector<Condition> conditions;

  void fields(auto& f) {
    f("phase", phase, "A summary of the conditions in one word.");
    f("message", message, "A summary of the conditions in one sentence.");
    f("observedGeneration", observed_generation, "The generation of the resource that the status speaks of.");
    f("conditions", conditions, "Ready, Progressing, and for what ends: Complete and Failed.");
  }
};

}  // namespace kb::api
