#include "operator/progress_reader.h"

#include <fmt/format.h>

#include "base/log.h"
#include "operator/progress_view.h"
#include "schema/schema.h"

namespace kb::op {
namespace {

constexpr std::size_t workers_asked_max = 32;
constexpr auto time_max = std::chrono::seconds(1);
constexpr auto slow_min = std::chrono::milliseconds(300);  // one that refuses may be about to listen
constexpr auto alone_for = std::chrono::seconds(30);

std::string url_of(const std::string& ip) {
  const bool is_v6 = ip.find(':') != std::string::npos;
  return fmt::format("http://{}{}{}:{}/progress", is_v6 ? "[" : "", ip, is_v6 ? "]" : "",
                     api::worker_progress_port);
}

}  // namespace

ProgressReader::ProgressReader()
    : http_({.connect_timeout = std::chrono::seconds(1), .answer_bytes_max = api::work_progress_bytes_max}) {}

std::optional<api::WorkProgress> ProgressReader::read(const Context& ctx, const std::vector<PodView>& pods) {
  const auto in_time = ctx.with_timeout(time_max);
  std::vector<api::WorkProgress> workers;
  std::size_t asked = 0;
  for (const auto& pod : pods) {
    if (!pod.running || pod.deleting || pod.ip.empty() || is_left_alone(pod.ip)) continue;
    if (++asked > workers_asked_max) break;
    const auto begun = Clock::now();
    if (in_time.deadline <= begun) break;
    try {
      auto answer = http_.send(in_time, {.url = url_of(pod.ip)});
      if (answer.status == 200)
        workers.push_back(schema::read_text<api::WorkProgress>(
            answer.body, "progress", {.unknown_fields = schema::UnknownFields::ignore}));
    } catch (const Error& error) {
      ctx.check();
      if (Clock::now() - begun >= slow_min) leave_alone(pod.ip);
      LOG_DEBUG("progress of pod {} is unknown: {}", pod.name, error.what());
    }
  }
  return add_up(workers);
}

bool ProgressReader::is_left_alone(const std::string& ip) {
  std::lock_guard lock(mutex_);
  auto found = alone_until_.find(ip);
  return found != alone_until_.end() && Clock::now() < found->second;
}

// Holds only those that were asked in the last half minute.
void ProgressReader::leave_alone(const std::string& ip) {
  const auto now = Clock::now();
  std::lock_guard lock(mutex_);
  std::erase_if(alone_until_, [&](const auto& entry) { return entry.second <= now; });
  alone_until_[ip] = now + alone_for;
}

}  // namespace kb::op
