// A resource of group kafka.oso.sh as it stands in a file or comes from an API server.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <boost/json/value.hpp>

#include "api/kafka_backup.h"
#include "api/kafka_restore.h"
#include "schema/problems.h"

namespace kb::api {

inline constexpr std::string_view api_group = "kafka.oso.sh";
inline constexpr std::string_view api_version_v1alpha1 = "kafka.oso.sh/v1alpha1";

// The part of Kubernetes' ObjectMeta that we use; the rest is not read.
struct ObjectMeta {
  std::string name;
  std::string namespace_name = "default";
  std::map<std::string, std::string> annotations;
  std::map<std::string, std::string> labels;

  void fields(auto& f) {
    f.required("name", name, "Name of the resource, unique in its namespace.");
    f("namespace", namespace_name, "Namespace.");
    f("annotations", annotations, "Annotations.");
    f("labels", labels, "Labels.");
  }
  void check(schema::Check& check) const;
};

struct Resource {
  std::string api_version;
  std::string kind;
  ObjectMeta metadata;
  std::variant<KafkaBackupSpec, KafkaRestoreSpec> spec;

  // "KafkaBackup nightly"
  std::string to_string() const { return kind + " " + metadata.name; }
};

// Every resource of the file with defaults applied, in its order; empty documents are skipped. Throws
// Error(invalid) that starts with the file's name and lists every problem of every document; also for a file
// without resources and for two of the same kind, namespace and name.
std::vector<Resource> parse_resources(std::string_view yaml, std::string_view file_name);

// One resource; problems are added. What was read so far is returned.
Resource read_resource(const boost::json::value& document, schema::Problems& problems);

}  // namespace kb::api
