#include "operator/spec_reading.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "api/job.h"
#include "api/not_yet.h"
#include "schema/schema.h"

namespace kb::op {
namespace {

constexpr std::size_t problems_shown_max = 5;

std::string to_sentence(const std::vector<std::string>& problems) {
  auto shown = std::min(problems.size(), problems_shown_max);
  auto text = fmt::format(
      "{}", fmt::join(problems.begin(), problems.begin() + static_cast<std::ptrdiff_t>(shown), "; "));
  return shown < problems.size() ? fmt::format("{}; and {} more", text, problems.size() - shown) : text;
}

template <class Spec>
SpecReading<Spec> read(const ResourceView& resource) {
  std::vector<std::string> found;
  const auto bytes = schema::serialize(resource.spec).size();
  if (bytes > api::work_order_bytes_max - 4096)
    return {.spec = {},
            .problems = fmt::format(
                "spec has {} bytes, more than the {} that fit into a Job; name topics by patterns", bytes,
                api::work_order_bytes_max - 4096)};
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
