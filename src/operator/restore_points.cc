#include "operator/restore_points.h"

#include <algorithm>
#include <chrono>

#include "base/backup_id.h"

namespace kb::op {

using Seconds = std::chrono::sys_seconds;

namespace {

Seconds at(std::int64_t seconds) {
  return Seconds(std::chrono::seconds(seconds));
}

// What is known of older points stays.
api::RestorePoints to_restore_points(const api::KafkaBackupStatus& status, const std::string& name,
                                     const api::ReportedPoints& points) {
  const auto known = status.restore_points.value_or(api::RestorePoints{}).newest;
  api::RestorePoints out{.count = points.count, .bytes = points.bytes, .first = {}, .last = {}, .newest = {}};
  if (points.count > 0) out.first = at(points.oldest);
  for (auto seconds : points.newest) {
    api::RestorePoint point{
        .backup_id = make_backup_id(name, at(seconds)), .time = at(seconds), .records = {}, .bytes = {}};
    if (auto it = std::ranges::find(known, point.backup_id, &api::RestorePoint::backup_id); it != known.end())
      point = *it;
    out.newest.push_back(std::move(point));
  }
  if (!out.newest.empty()) out.last = out.newest.front().time;
  return out;
}

}  // namespace

void record_points(api::KafkaBackupStatus& status, const std::string& name, const api::WorkReport& report) {
  auto out = to_restore_points(status, name, *report.points);
  for (auto& point : out.newest)
    if (point.backup_id == status.backup_id) point.records = report.records, point.bytes = report.bytes;
  status.restore_points = std::move(out);
}

void follow_points(api::KafkaBackupStatus& status, const std::string& name,
                   const api::ReportedPoints& points) {
  if (points.newest.empty()) return;
  const auto newest = at(points.newest.front());
  const auto known = time_of_backup_id(status.backup_id.value_or(""));
  if (known && newest < *known) return;
  const auto id = make_backup_id(name, newest);
  auto out = to_restore_points(status, name, points);
  if (status.backup_id != id) {
    // Without it nothing is covered yet: a restore point, but none that ends the wait for a first backup.
    if (points.captured > 0) {
      out.newest.front().time = at(points.captured);
      status.last_backup_time = at(points.captured);
    }
    out.last = out.newest.front().time;
  }
  status.backup_id = id;
  status.restore_points = std::move(out);
}

}  // namespace kb::op
