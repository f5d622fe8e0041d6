#include "operator/other_states.h"

#include "api/condition.h"
#include "operator/conditions.h"
#include "operator/lenient_reading.h"
#include "schema/schema.h"

namespace kb::op {
namespace {

namespace json = boost::json;

json::value merged(const json::value& status, const json::value& changes) {
  auto all = status.is_object() ? status : json::value(json::object());
  for (const auto& member : changes.get_object()) all.get_object()[member.key()] = member.value();
  return all;
}

}  // namespace

json::value not_yet_status(const ResourceView& resource, Timestamp now) {
  auto status = read_leniently<api::CommonStatus>(resource.status);
  if (status.phase && status.phase != "Pending") return resource.status;
  status.phase = "Pending";
  status.message = resource.kind + " is not acted on by this version yet; nothing was done";
  status.observed_generation = resource.generation;
  Conditions conditions(status.conditions, resource.generation, now);
  conditions.set("Ready", false, "NotSupportedYet", *status.message);
  conditions.remove("ReconciliationPaused");
  return merged(resource.status, schema::write(status));
}

json::value paused_status(const ResourceView& resource, Timestamp now) {
  auto status = read_leniently<api::CommonStatus>(resource.status);
  Conditions(status.conditions, resource.generation, now)
      .set("ReconciliationPaused", true, "Paused",
           "an annotation pause-reconciliation is true: nothing is done");
  return merged(resource.status, json::object{{"conditions", schema::write(status.conditions)}});
}

}  // namespace kb::op
