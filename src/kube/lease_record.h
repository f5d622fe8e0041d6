// What a Lease says, and the next thing to write into it. Pure.
// https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/
#pragma once
#include <chrono>
#include <string>

#include <boost/json/value.hpp>

#include "kube/lease.h"

namespace kb::kube {

using WallTime = std::chrono::sys_time<std::chrono::microseconds>;

struct LeaseRecord {
  std::string holder, acquire_time, renew_time;
  std::int64_t duration_s = 0, transitions = 0;
  bool operator==(const LeaseRecord&) const = default;
};

LeaseRecord read_lease(const boost::json::value& lease);
// RFC 3339 with exactly six digits of fraction: the server takes nothing else as MicroTime.
std::string micro_time(WallTime time);
boost::json::value new_lease(const LeaseSettings& settings, WallTime now);
// `lease` renewed or taken over by settings.identity; what else is in it stays, its resourceVersion too.
boost::json::value renewed_lease(boost::json::value lease, const LeaseSettings& settings, WallTime now);
// `lease` for everybody to take.
boost::json::value released_lease(boost::json::value lease, WallTime now);

}  // namespace kb::kube
