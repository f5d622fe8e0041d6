// A custom resource as the operator reads it: metadata that counts, spec and status as they stand there.
// Pure.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kube/api.h"
#include "schema/field.h"

namespace kb::op {

using schema::Timestamp;

struct ResourceView {
  std::string kind;
  kube::ObjectKey key;
  std::string uid, resource_version;
  std::int64_t generation = 0;
  Timestamp created{};
  bool deleting = false;
  std::vector<std::string> finalizers;
  std::map<std::string, std::string> annotations;
  kube::json::value spec, status;    // null when absent
  std::vector<std::string> dropped;  // members of the stored status that are not in this one (distrust.h)

  std::string annotation(std::string_view name) const;  // "" when absent
  bool paused() const;
  // "KafkaBackup kafka/nightly"
  std::string to_string() const { return kind + " " + key.to_string(); }
};

ResourceView read_resource_view(std::string_view kind, const kube::json::value& object);

Timestamp time_at(const kube::json::value& object, std::string_view dotted_path);  // 1970 when absent
std::map<std::string, std::string> texts_at(const kube::json::value& object, std::string_view dotted_path);

}  // namespace kb::op
