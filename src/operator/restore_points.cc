#include "operator/restore_points.h"

#include <algorithm>
#include <chrono>

#include "base/backup_id.h"

namespace kb::op {

using Seconds = std::chrono::sys_seconds;

void record_points(api::KafkaBackupStatus& status, const std::string& name, const api::WorkReport& report) {
  const auto& points = *report.points;
  const auto known = status.restore_points.value_or(api::RestorePoints{}).newest;
  auto at = [](std::int64_t seconds) { return Seconds(std::chrono::seconds(seconds)); };
  api::RestorePoints out{.count = points.count, .bytes = points.bytes, .first = {}, .last = {}, .newest = {}};
  if (points.count > 0) out.first = at(points.oldest);
  for (auto seconds : points.newest) {
    api::RestorePoint point{
        .backup_id = make_backup_id(name, at(seconds)), .time = at(seconds), .records = {}, .bytes = {}};
    if (auto it = std::ranges::find(known, point.backup_id, &api::RestorePoint::backup_id); it != known.end())
      point = *it;
    if (point.backup_id == status.backup_id) point.records = report.records, point.bytes = report.bytes;
    out.newest.push_back(std::move(point));
  }
  if (!out.newest.empty()) out.last = out.newest.front().time;
  status.restore_points = std::move(out);
}

void follow_points(api::KafkaBackupStatus& status, const std::string& name,
                   const api::WorkProgress& progress) {
  if (progress.restore_point_s <= 0) return;
  const auto id = make_backup_id(name, Seconds(std::chrono::seconds(progress.restore_point_s)));
  auto points = status.restore_points.value_or(api::RestorePoints{});
  points.count = progress.restore_points;
  if (points.newest.empty() || points.newest.front().backup_id != id) {
    const Seconds captured{std::chrono::seconds(progress.captured_s)};
    points.newest.insert(points.newest.begin(),
                         {.backup_id = id, .time = captured, .records = {}, .bytes = {}});
    if (points.newest.size() > api::restore_points_max) points.newest.resize(api::restore_points_max);
    points.last = captured;
    if (!points.first) points.first = captured;
    status.last_backup_time = captured;
  }
  status.backup_id = id;
  status.restore_points = std::move(points);
}

}  // namespace kb::op
