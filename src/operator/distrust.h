// What others may have written into the objects that the operator reads, brought down to what it relies on:
// whoever may edit an object of one namespace must neither fill the operator's memory nor have it act on
// objects that are not that resource's. Pure.
#pragma once
#include <string>

#include "api/run_status.h"
#include "operator/resource_view.h"

namespace kb::op {

// Of one of our resources, before it is cached. Keeps the metadata and annotations that are used. A spec that
// is too long becomes a text that says so (no spec is a text). A long token of run-now becomes its digest; a
// member of the status that is longer than the operator writes any becomes `false`, which reads as absent.
void trim_resource(kube::json::value& object);

// Whether the operator itself can have written it for this resource: the Job is one of the resource's own.
bool is_run_of(const ResourceView& resource, const api::CurrentRun& run);

// Takes a currentRun away that is not.
void distrust_status(ResourceView& resource);

// "<namespace>/<uid>" of an object's controller: an owner is in the namespace of what it owns, whatever a
// reference says. Empty for none.
std::string owner_of(const kube::json::value& object);
std::string owner_key(const std::string& resource_namespace, const std::string& uid);

}  // namespace kb::op
