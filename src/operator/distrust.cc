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
#include "schema/schema.h"

namespace kb::op {
namespace {

namespace json = boost::json;

constexpr std::size_t status_member_bytes_max = 64 * 1024;
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

void keep_only(json::object& object, const auto& names) {
  json::object kept;
  for (auto name : names)
    if (auto* member = object.if_contains(name)) kept[name] = std::move(*member);
  object = std::move(kept);
}

void trim_annotations(json::object& annotations) {
  keep_only(annotations, annotations_used);
  for (auto& annotation : annotations) {
    const auto* text = annotation.value().if_string();
    if (!text) continue;
    if (annotation.key() == run_now_annotation && text->size() > token_bytes_max)
      annotation.value() = "sha256:" + sha256_hex(std::string_view(*text));
    else if (text->size() > annotation_bytes_max)
      annotation.value() = "";  // half a list of namespaces would grant something else
  }
}

void trim_metadata(json::object& metadata) {
  auto finalizers = metadata.contains("deletionTimestamp") && metadata.contains("finalizers")
                        ? metadata["finalizers"]
                        : json::value();
  keep_only(metadata, metadata_used);
  if (!finalizers.is_null()) metadata["finalizers"] = std::move(finalizers);
  if (auto* annotations = metadata.if_contains("annotations"); annotations && annotations->is_object())
    trim_annotations(annotations->get_object());
}

}  // namespace

void trim_resource(json::value& object) {
  auto* members = object.if_object();
  if (!members) return;
  if (auto* metadata = members->if_contains("metadata"); metadata && metadata->is_object())
    trim_metadata(metadata->get_object());
  if (auto* spec = members->if_contains("spec"))
    if (const auto bytes = schema::serialize(*spec).size(); bytes > spec_bytes_max)
      *spec = fmt::format("has {} bytes, more than the {} that fit into a Job; name topics by patterns",
                          bytes, spec_bytes_max);
  if (auto* status = members->if_contains("status"); status && status->is_object())
    for (auto& member : status->get_object())
      if (schema::serialize(member.value()).size() > status_member_bytes_max) member.value() = false;
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
  auto* member = status ? status->if_contains("currentRun") : nullptr;
  if (!member || member->is_null()) return;
  api::CurrentRun run;
  schema::Problems problems;
  schema::read_into(*member, "status.currentRun", run, problems,
                    {.unknown_fields = schema::UnknownFields::ignore});
  if (!problems.empty() || !is_run_of(resource, run)) *member = false;
}

std::string owner_key(const std::string& resource_namespace, const std::string& uid) {
  return uid.empty() ? "" : fmt::format("{}/{}", resource_namespace, uid);
}

std::string owner_of(const json::value& object) {
  return owner_key(kube::text_at(object, "metadata.namespace"), controller_uid(object));
}

}  // namespace kb::op
