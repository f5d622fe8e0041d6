// What a status says of a resource that nothing is done about. Pure.
#pragma once
#include <boost/json/value.hpp>

#include "base/context.h"
#include "operator/resource_view.h"

namespace kb::op {

// The whole status of a kind that this version does not act on: pending, and why. What another operator has
// done stays as it is.
boost::json::value not_yet_status(const ResourceView& resource, Timestamp now);

// The whole status of a resource that is paused by an annotation: what it was, and a condition.
boost::json::value paused_status(const ResourceView& resource, Timestamp now);

}  // namespace kb::op
