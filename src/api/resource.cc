#include "api/resource.h"

#include <algorithm>
#include <array>
#include <set>

#include "api/names.h"
#include "schema/schema.h"
#include "schema/yaml.h"

namespace kb::api {
namespace {

namespace json = boost::json;

// What stands around metadata and spec; the status of an object that was fetched from a cluster is not read.
struct Envelope {
  std::string api_version;
  std::string kind;
  json::value metadata;
  json::value spec;
  std::optional<json::value> status;

  void fields(auto& f) {
    f.required("apiVersion", api_version, "");
    f.required("kind", kind, "");
    f.required("metadata", metadata, "");
    f.required("spec", spec, "");
    f("status", status, "");
  }
};

constexpr std::array<std::string_view, 3> kinds_to_come = {"KafkaOffsetReset", "KafkaOffsetRollback",
                                                           "KafkaBackupValidation"};

bool is_known_kind(std::string_view kind) {
  return kind == "KafkaBackup" || kind == "KafkaRestore";
}

std::string text_at(const json::value& document, std::string_view field) {
  const json::value* value = document.is_object() ? document.get_object().if_contains(field) : nullptr;
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

// False, with a problem, for a document that is something else altogether: its fields are then not looked at.
bool is_ours(const json::value& document, schema::Problems& problems) {
  std::string api_version = text_at(document, "apiVersion");
  std::string kind = text_at(document, "kind");
  if (api_version.empty() || kind.empty()) return true;  // the envelope's fields say what is missing
  if (!api_version.starts_with(std::string(api_group) + "/")) {
    problems.add("kind", fmt::format("{} of {} is not a kafka-backup resource; keep it in another file", kind,
                                     api_version));
  } else if (api_version != api_version_v1alpha1) {
    problems.add("apiVersion", fmt::format("must be {}, not '{}'", api_version_v1alpha1, api_version));
  } else if (std::find(kinds_to_come.begin(), kinds_to_come.end(), kind) != kinds_to_come.end()) {
    problems.add("kind", fmt::format("{} is not supported by this version yet", kind));
  } else if (!is_known_kind(kind)) {
    std::string_view meant = schema::nearest(kind, {"KafkaBackup", "KafkaRestore"});
    problems.add("kind", meant.empty()
                             ? fmt::format("must be KafkaBackup or KafkaRestore, not '{}'", kind)
                             : fmt::format("must be KafkaBackup or KafkaRestore, not '{}' (did you mean {}?)",
                                           kind, meant));
  } else {
    return true;
  }
  return false;
}

// "KafkaBackup nightly", or the line where there is no name.
std::string label(const schema::YamlDocument& document) {
  std::string kind = text_at(document.value, "kind");
  const json::value* metadata =
      document.value.is_object() ? document.value.get_object().if_contains("metadata") : nullptr;
  std::string name = metadata ? text_at(*metadata, "name") : "";
  if (kind.empty() || name.empty()) return fmt::format("document at line {}", document.line);
  return fmt::format("{} {}", kind, name);
}

void add_all(schema::Problems& all, const schema::Problems& of_document, std::string_view label) {
  for (const schema::Problem& problem : of_document.kept())
    all.add(label.empty() ? problem.path : fmt::format("{}: {}", label, problem.path), problem.text);
}

}  // namespace

void ObjectMeta::check(schema::Check& check) const {
  if (!is_object_name(name))
    check.problem("name", "must be at most 253 lower case letters, digits, '-' and '.', not '{}'", name);
  if (!is_namespace_name(namespace_name))
    check.problem("namespace", "must be at most 63 lower case letters, digits and '-', not '{}'",
                  namespace_name);
}

Resource read_resource(const json::value& document, schema::Problems& problems) {
  Resource resource;
  if (!is_ours(document, problems)) return resource;
  Envelope envelope;
  if (!document.is_object()) {
    problems.add("the document", "must be a mapping with apiVersion, kind, metadata and spec");
    return resource;
  }
  schema::read_into(document, "", envelope, problems);
  resource.api_version = envelope.api_version;
  resource.kind = envelope.kind;
  if (!envelope.metadata.is_null())
    schema::read_into(envelope.metadata, "metadata", resource.metadata, problems,
                      {.unknown_fields = schema::UnknownFields::ignore});
  if (resource.kind == "KafkaRestore") resource.spec.emplace<KafkaRestoreSpec>();
  if (is_known_kind(resource.kind) && !envelope.spec.is_null())
    std::visit([&](auto& spec) { schema::read_into(envelope.spec, "spec", spec, problems); }, resource.spec);
  return resource;
}

std::vector<Resource> parse_resources(std::string_view yaml, std::string_view file_name) {
  std::vector<schema::YamlDocument> documents = schema::parse_yaml(yaml, file_name);
  std::erase_if(documents, [](const schema::YamlDocument& document) { return document.value.is_null(); });
  std::vector<Resource> resources;
  std::set<std::string> seen;
  schema::Problems all;
  for (const schema::YamlDocument& document : documents) {
    schema::Problems problems;
    Resource resource = read_resource(document.value, problems);
    if (problems.empty() &&
        !seen.insert(resource.kind + "/" + resource.metadata.namespace_name + "/" + resource.metadata.name)
             .second)
      problems.add("metadata.name", fmt::format("{} stands twice in this file", resource.metadata.name));
    add_all(all, problems, documents.size() > 1 ? label(document) : "");
    resources.push_back(std::move(resource));
  }
  all.throw_if_any(file_name);
  if (resources.empty()) fail(ErrorKind::invalid, "{}: holds no resource", file_name);
  return resources;
}

}  // namespace kb::api
