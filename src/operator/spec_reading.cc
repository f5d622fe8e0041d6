#include "operator/spec_reading.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "api/not_yet.h"
#include "kube/event_recorder.h"
#include "schema/schema.h"

namespace kb::op {
namespace {

constexpr std::size_t problems_shown_max = 5, problem_bytes_max = 400;

std::string to_sentence(const std::vector<std::string>& problems) {
  std::vector<std::string> shown;  // a value in one may be as long as a spec
  for (std::size_t i = 0; i < std::min(problems.size(), problems_shown_max); ++i)
    shown.push_back(kube::cut_message(problems[i], problem_bytes_max));
  auto text = fmt::format("{}", fmt::join(shown, "; "));
  return shown.size() < problems.size() ? fmt::format("{}; and {} more", text, problems.size() - shown.size())
                                        : text;
}

// A text stands for a spec that could not be kept, see trim_resource().
template <class Spec>
SpecReading<Spec> read(const ResourceView& resource) {
  std::vector<std::string> found;
  if (const auto* why = resource.spec.if_string())
    return {.spec = {}, .problems = "spec " + kube::cut_message(std::string_view(*why), problem_bytes_max)};
  Spec spec;
  schema::Problems problems;
  schema::read_into(resource.spec, "spec", spec, problems);
  for (const auto& problem : problems.kept()) found.push_back(problem.to_string());
  if (found.empty()) {
    api::Resource typed{.api_version = std::string(api::api_version_v1alpha1), .kind = resource.kind};
    typed.metadata.name = resource.key.name;
    typed.metadata.namespace_name = resource.key.resource_namespace;
    typed.spec = spec;
    found = api::engine_support(typed).refused;
  }
  if (!found.empty()) return {.spec = {}, .problems = to_sentence(found)};
  return {.spec = std::move(spec), .problems = ""};
}

}  // namespace

SpecReading<api::KafkaBackupSpec> read_backup_spec(const ResourceView& resource) {
  return read<api::KafkaBackupSpec>(resource);
}

SpecReading<api::KafkaRestoreSpec> read_restore_spec(const ResourceView& resource) {
  return read<api::KafkaRestoreSpec>(resource);
}

}  // namespace kb::op
