#include "operator/resource_view.h"

#include "operator/labels.h"
#include "schema/rfc3339.h"

namespace kb::op {

std::string ResourceView::annotation(std::string_view name) const {
  auto it = annotations.find(std::string(name));
  return it == annotations.end() ? "" : it->second;
}

bool ResourceView::paused() const {
  return annotation(pause_annotation) == "true" || annotation(strimzi_pause_annotation) == "true";
}

Timestamp time_at(const kube::json::value& object, std::string_view dotted_path) {
  return schema::parse_rfc3339(kube::text_at(object, dotted_path)).value_or(Timestamp{});
}

std::map<std::string, std::string> texts_at(const kube::json::value& object, std::string_view dotted_path) {
  std::map<std::string, std::string> texts;
  const auto* found = kube::find(object, dotted_path);
  if (const auto* members = found ? found->if_object() : nullptr)
    for (const auto& member : *members)
      if (const auto* text = member.value().if_string())
        texts[std::string(member.key())] = std::string(*text);
  return texts;
}

ResourceView read_resource_view(std::string_view kind, const kube::json::value& object) {
  ResourceView view{
      .kind = std::string(kind),
      .key = {kube::text_at(object, "metadata.namespace"), kube::text_at(object, "metadata.name")},
      .uid = kube::text_at(object, "metadata.uid"),
      .resource_version = kube::text_at(object, "metadata.resourceVersion"),
      .generation = kube::integer_at(object, "metadata.generation"),
      .created = time_at(object, "metadata.creationTimestamp"),
      .deleting = kube::find(object, "metadata.deletionTimestamp") != nullptr,
      .finalizers = {},
      .annotations = texts_at(object, "metadata.annotations"),
      .spec = nullptr,
      .status = nullptr};
  if (const auto* finalizers = kube::find(object, "metadata.finalizers");
      finalizers && finalizers->is_array())
    for (const auto& name : finalizers->get_array())
      if (name.is_string()) view.finalizers.emplace_back(name.get_string());
  if (const auto* spec = kube::find(object, "spec")) view.spec = *spec;
  if (const auto* status = kube::find(object, "status")) view.status = *status;
  return view;
}

}  // namespace kb::op
