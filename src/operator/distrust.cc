#include "operator/distrust.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "api/job_settings.h"
#include "api/names.h"
#include "base/checksum.h"
#include "operator/job_builder.h"
#include "operator/job_view.h"
#include "operator/labels.h"
#include "operator/spec_reading.h"
#include "operator/trimming.h"
#include "schema/schema.h"

namespace kb::op {
namespace {

namespace json = boost::json;

constexpr std::size_t status_member_bytes_max = 64 * 1024;
constexpr std::string_view too_long = "kafka.oso.sh: too long";
constexpr std::size_t token_bytes_max = 256;
constexpr std::size_t annotation_bytes_max = 64 * 1024;

constexpr std::array<std::string_view, 8> metadata_used = {"name",
                                                           "namespace",
                                                           "uid",
                                                           "resourceVersion",
                                                           "generation",
                                                           "creationTimestamp",
                                                           "deletionTimestamp",
                                                           "annotations"};
constexpr std::array<std::string_view, 5> annotations_used = {
    run_now_annotation, pause_annotation, strimzi_pause_annotation, adopt_annotation, grant_annotation};

void trim_annotations(json::value& annotations) {
  keep_only(annotations, annotations_used);
  for (auto& annotation : annotations.get_object()) {
    const auto* text = annotation.value().if_string();
    if (!text) continue;
    if (annotation.key() == run_now_annotation && text->size() > token_bytes_max)
      annotation.value() = "sha256:" + sha256_hex(std::string_view(*text));
    else if (text->size() > annotation_bytes_max)
      annotation.value() = "";  // half a list of namespaces would grant something else
  }
}

void trim_metadata(json::value& value) {
  auto& metadata = value.get_object();
  auto finalizers = metadata.contains("deletionTimestamp") && metadata.contains("finalizers")
                        ? metadata["finalizers"]
                        : json::value();
  keep_only(value, metadata_used);
  if (!finalizers.is_null()) metadata["finalizers"] = std::move(finalizers);
  if (auto* annotations = metadata.if_contains("annotations"); annotations && annotations->is_object())
    trim_annotations(*annotations);
}

bool is_own(const ResourceView& resource, const json::value& current_run) {
  api::CurrentRun run;
  schema::Problems problems;
  schema::read_into(current_run, "status.currentRun", run, problems,
                    {.unknown_fields = schema::UnknownFields::ignore});
  return problems.empty() && is_run_of(resource, run);
}

}  // namespace

void trim_resource(json::value& object) {
  auto* members = object.if_object();
  if (!members) return;
  if (auto* metadata = members->if_contains("metadata"); metadata && metadata->is_object())
    trim_metadata(*metadata);
  if (auto* spec = members->if_contains("spec"))
    if (const auto bytes = schema::serialize(*spec).size(); bytes > spec_bytes_max)
      *spec = fmt::format("has {} bytes, more than the {} that fit into a Job; name topics by patterns",
                          bytes, spec_bytes_max);
  if (auto* status = members->if_contains("status"); status && status->is_object())
    for (auto& member : status->get_object())
      if (schema::serialize(member.value()).size() > status_member_bytes_max) member.value() = too_long;
}

bool is_run_of(const ResourceView& resource, const api::CurrentRun& run) {
  constexpr std::string_view digits = "00000000000000";  // of the time in the name
  const auto own = job_name(resource, {});
  const auto begin = std::string_view(own).substr(0, own.size() - digits.size());
  const std::string_view job = run.job;
  return job.size() == own.size() && job.starts_with(begin) &&
         std::ranges::all_of(job.substr(begin.size()), [](char c) { return c >= '0' && c <= '9'; }) &&
         run.shards >= 1 && run.shards <= static_cast<std::int32_t>(api::workers_max) &&
         (run.backup_id.empty() || api::is_backup_id(run.backup_id)) && run.token.size() <= token_bytes_max;
}

void distrust_status(ResourceView& resource) {
  auto* status = resource.status.if_object();
  if (!status) return;
  auto is_marked = [](const json::value& member) {
    const auto* text = member.if_string();
    return text && std::string_view(*text) == too_long;
  };
  for (const auto& member : *status)
    if (is_marked(member.value()) || (member.key() == "currentRun" && !is_own(resource, member.value())))
      resource.dropped.emplace_back(member.key());
  for (const auto& name : resource.dropped) status->erase(name);
}

std::string owner_key(const std::string& resource_namespace, const std::string& uid) {
  return uid.empty() ? "" : fmt::format("{}/{}", resource_namespace, uid);
}

std::string owner_of(const json::value& object) {
  return owner_key(kube::text_at(object, "metadata.namespace"), controller_uid(object));
}

}  // namespace kb::op
