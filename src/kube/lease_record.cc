#include "kube/lease_record.h"

#include <fmt/chrono.h>

namespace kb::kube {
namespace {

void write(json::value& lease, const LeaseRecord& record) {
  auto& object = lease.is_object() ? lease.get_object() : lease.emplace_object();
  auto& spec = object["spec"].is_object() ? object["spec"].get_object() : object["spec"].emplace_object();
  spec["holderIdentity"] = record.holder;
  spec["leaseDurationSeconds"] = record.duration_s;
  spec["acquireTime"] = record.acquire_time;
  spec["renewTime"] = record.renew_time;
  spec["leaseTransitions"] = record.transitions;
}

std::int64_t seconds_of(const LeaseSettings& settings) {
  return std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(settings.lease_duration).count());
}

}  // namespace

LeaseRecord read_lease(const json::value& lease) {
  return {.holder = text_at(lease, "spec.holderIdentity"),
          .acquire_time = text_at(lease, "spec.acquireTime"),
          .renew_time = text_at(lease, "spec.renewTime"),
          .duration_s = integer_at(lease, "spec.leaseDurationSeconds"),
          .transitions = integer_at(lease, "spec.leaseTransitions")};
}

std::string micro_time(WallTime time) {
  auto second = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(second)),
                     (time - second).count());
}

json::value new_lease(const LeaseSettings& settings, WallTime now) {
  json::value lease{{"apiVersion", "coordination.k8s.io/v1"},
                    {"kind", "Lease"},
                    {"metadata", {{"name", settings.name}, {"namespace", settings.resource_namespace}}}};
  write(lease, {.holder = settings.identity,
                .acquire_time = micro_time(now),
                .renew_time = micro_time(now),
                .duration_s = seconds_of(settings)});
  return lease;
}

json::value renewed_lease(json::value lease, const LeaseSettings& settings, WallTime now) {
  auto record = read_lease(lease);
  if (record.holder != settings.identity) {
    record.holder = settings.identity;
    record.acquire_time = micro_time(now);
    ++record.transitions;
  }
  record.renew_time = micro_time(now);
  record.duration_s = seconds_of(settings);
  write(lease, record);
  return lease;
}

json::value released_lease(json::value lease, WallTime now) {
  auto record = read_lease(lease);
  write(lease, {.holder = "",
                .acquire_time = micro_time(now),
                .renew_time = micro_time(now),
                .duration_s = 1,
                .transitions = record.transitions});
  return lease;
}

}  // namespace kb::kube
