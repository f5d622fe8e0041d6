#include "operator/job_view.h"

#include <algorithm>

#include "base/cut_text.h"
#include "operator/labels.h"
#include "operator/progress_view.h"
#include "operator/run_view.h"
#include "operator/trimming.h"
#include "schema/schema.h"

namespace kb::op {
namespace {

namespace json = boost::json;
using kube::find;
using kube::text_at;

constexpr std::size_t waiting_bytes_max = 300;
constexpr std::size_t annotation_bytes_max = 4096;  // a CurrentRun has a tenth of it

// Calls `each` for the items of a list that are objects.
void for_each_object(const json::value& object, std::string_view path, auto each) {
  const auto* list = find(object, path);
  if (!list || !list->is_array()) return;
  for (const auto& item : list->get_array())
    if (item.is_object()) each(item);
}

std::string annotation(const json::value& object, std::string_view name) {
  auto all = texts_at(object, "metadata.annotations");
  return all[std::string(name)];
}

std::string label(const json::value& object, std::string_view name) {
  auto all = texts_at(object, "metadata.labels");
  return all[std::string(name)];
}

// Figures that a status can hold, and times that a calendar can.
bool is_believable(const api::WorkReport& report) {
  constexpr std::uint64_t figure_max = std::uint64_t{1} << 62;
  constexpr double seconds_max = 1e9;
  const auto points = report.points.value_or(api::ReportedPoints{});
  const auto retention = report.retention.value_or(api::ReportedRetention{});
  auto is_time = [](std::int64_t seconds) { return seconds >= 0 && seconds <= unix_seconds_max; };
  return std::max({report.records, report.bytes, report.segments, report.partitions, report.lost_offsets,
                   report.topics, report.retention_held, points.count, points.bytes, retention.inspected,
                   retention.eligible, retention.deleted, retention.reclaimed_bytes}) <= figure_max &&
         report.seconds >= 0 && report.seconds <= seconds_max && is_time(points.oldest) &&
         points.newest.size() <= api::restore_points_max && std::ranges::all_of(points.newest, is_time);
}

std::optional<api::WorkReport> read_report(std::string_view message) {
  if (message.empty() || message.size() > 4096) return std::nullopt;
  try {
    auto report = schema::read_text<api::WorkReport>(message, "report",
                                                     {.unknown_fields = schema::UnknownFields::ignore});
    return is_believable(report) ? std::optional(std::move(report)) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;  // the words of whatever killed it
  }
}

std::optional<api::CurrentRun> read_run(std::string_view text) {
  if (text.empty()) return std::nullopt;
  try {
    return schema::read_text<api::CurrentRun>(text, "run", {.unknown_fields = schema::UnknownFields::ignore});
  } catch (const Error&) {
    return std::nullopt;
  }
}

void read_container(const json::value& container, PodView& pod) {
  if (find(container, "state.running")) pod.running = true;
  if (auto reason = text_at(container, "state.waiting.reason"); !reason.empty()) {
    auto message = text_at(container, "state.waiting.message");
    pod.waiting = message.empty() ? reason : reason + ": " + message;
  }
  if (!find(container, "state.terminated")) return;
  pod.terminated = true;
  pod.exit_code = kube::integer_at(container, "state.terminated.exitCode");
  pod.terminated_reason = text_at(container, "state.terminated.reason");
  pod.report = read_report(text_at(container, "state.terminated.message"));
}

// The order of a worker, and what others may write, can be as long as an object may be.
void trim_annotations(json::value& annotations) {
  keep_only(annotations, {run_annotation, recorded_annotation});
  if (auto* members = annotations.if_object())
    for (auto& member : *members)
      if (member.value().is_string() && member.value().get_string().size() > annotation_bytes_max)
        member.value() = "";
}

void trim_metadata(json::value& object) {
  if (auto* members = object.if_object())
    if (auto* metadata = members->if_contains("metadata")) {
      keep_only(*metadata, {"name", "namespace", "uid", "resourceVersion", "labels", "annotations",
                            "ownerReferences", "creationTimestamp", "deletionTimestamp"});
      auto* kept = metadata->if_object();
      if (auto* labels = kept ? kept->if_contains("labels") : nullptr)
        keep_only(*labels, {owner_label, job_name_label});
      if (auto* annotations = kept ? kept->if_contains("annotations") : nullptr)
        trim_annotations(*annotations);
    }
}

}  // namespace

std::string controller_uid(const json::value& object) {
  std::string uid;
  for_each_object(object, "metadata.ownerReferences", [&](const json::value& reference) {
    const auto* controller = find(reference, "controller");
    if (controller && controller->is_bool() && controller->get_bool()) uid = text_at(reference, "uid");
  });
  return uid;
}

JobView read_job(const json::value& job) {
  JobView view{.name = text_at(job, "metadata.name"),
               .uid = text_at(job, "metadata.uid"),
               .owner_uid = controller_uid(job),
               .run = read_run(annotation(job, run_annotation)),
               .created = time_at(job, "metadata.creationTimestamp")};
  // A copy of a Job under another name is none of ours.
  if (view.run && view.name != view.run->job && view.name != finish_job_name(*view.run)) view.run.reset();
  view.failed_pods = kube::integer_at(job, "status.failed");
  view.deleting = find(job, "metadata.deletionTimestamp") != nullptr;
  view.recorded = !annotation(job, recorded_annotation).empty();
  for_each_object(job, "status.conditions", [&](const json::value& condition) {
    if (text_at(condition, "status") != "True") return;
    auto type = text_at(condition, "type");
    if (type == "Complete") view.state = JobState::complete;
    if (type != "Failed") return;
    view.state = JobState::failed;
    view.failure_reason = text_at(condition, "reason");
    view.failure_message = text_at(condition, "message");
  });
  return view;
}

void trim_job(json::value& job) {
  trim_metadata(job);
  keep_only(job, {"metadata", "status"});
}

PodView read_pod(const json::value& pod) {
  PodView view{.name = text_at(pod, "metadata.name"),
               .job = label(pod, job_name_label),
               .ip = text_at(pod, "status.podIP"),
               .created = time_at(pod, "metadata.creationTimestamp")};
  view.deleting = find(pod, "metadata.deletionTimestamp") != nullptr;
  for_each_object(pod, "status.containerStatuses", [&](const json::value& container) {
    if (text_at(container, "name") == "worker") read_container(container, view);
  });
  for_each_object(pod, "status.conditions", [&](const json::value& condition) {
    if (text_at(condition, "type") == "PodScheduled" && text_at(condition, "status") == "False")
      view.waiting = text_at(condition, "message");
  });
  if (view.running || view.terminated) view.waiting.clear();
  view.waiting = cut_text(view.waiting, waiting_bytes_max);
  return view;
}

void trim_pod(json::value& pod) {
  trim_metadata(pod);
  keep_only(pod, {"metadata", "status"});
  if (auto* members = pod.if_object())
    if (auto* status = members->if_contains("status"))
      keep_only(*status, {"podIP", "phase", "containerStatuses", "conditions"});
}

}  // namespace kb::op
