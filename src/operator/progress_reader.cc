#include "operator/progress_reader.h"

#include <fmt/format.h>

#include "base/log.h"
#include "operator/backup_decision.h"
#include "operator/progress_view.h"
#include "schema/schema.h"

namespace kb::op {
namespace {

constexpr auto time_max = std::chrono::seconds(1);
constexpr auto slow_min = std::chrono::milliseconds(300);  // one that refuses may be about to listen
constexpr auto rest_after_silence = std::chrono::minutes(1);
constexpr std::size_t runs_remembered_max = 4096;

std::string url_of(const std::string& ip) {
  const bool is_v6 = ip.find(':') != std::string::npos;
  return fmt::format("http://{}{}{}:{}/progress", is_v6 ? "[" : "", ip, is_v6 ? "]" : "",
                     api::worker_progress_port);
}

// A shard that is done has done all of what it had.
api::WorkProgress progress_of(const api::WorkReport& report) {
  return {.phase = "done",
          .partitions_done = report.partitions,
          .partitions_total = report.partitions,
          .records_done = report.records,
          .records_total = report.records,
          .bytes_done = report.bytes,
          .seconds = report.seconds};
}

}  // namespace

ProgressReader::ProgressReader()
    : http_({.connect_timeout = std::chrono::milliseconds(500),
             .use_proxy = false,
             .answer_bytes_max = api::work_progress_bytes_max}) {}

bool ProgressReader::may_ask(const std::string& run) {
  std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  if (ask_again_.size() > runs_remembered_max)
    std::erase_if(ask_again_, [&](const auto& entry) { return entry.second <= now; });
  auto& next = ask_again_[run];
  if (next > now) return false;
  next = now + progress_interval;
  return true;
}

void ProgressReader::rest(const std::string& run, Duration time) {
  std::lock_guard lock(mutex_);
  ask_again_[run] = Clock::now() + time;
}

std::optional<api::WorkProgress> ProgressReader::read(const Context& ctx, const std::string& run,
                                                      const std::vector<PodView>& pods) {
  std::vector<api::WorkProgress> workers;
  std::vector<const PodView*> to_ask;
  for (const auto& pod : pods) {
    if (pod.deleting) continue;
    if (pod.terminated && pod.exit_code == 0 && pod.report) workers.push_back(progress_of(*pod.report));
    if (pod.running && !pod.ip.empty()) to_ask.push_back(&pod);
  }
  if (to_ask.empty() || !may_ask(run)) return std::nullopt;
  const auto begun = Clock::now();
  const auto in_time = ctx.with_timeout(time_max);
  try {
    for (const auto* pod : to_ask) {
      auto answer = http_.send(in_time, {.url = url_of(pod->ip)});
      if (answer.status != 200) return std::nullopt;
      workers.push_back(schema::read_text<api::WorkProgress>(
          answer.body, "progress", {.unknown_fields = schema::UnknownFields::ignore}));
    }
  } catch (const Error& error) {
    ctx.check();
    LOG_DEBUG("progress of run {} is unknown: {}", run, error.what());
    if (Clock::now() - begun >= slow_min) rest(run, rest_after_silence);
    return std::nullopt;
  }
  return add_up(workers);
}

}  // namespace kb::op
