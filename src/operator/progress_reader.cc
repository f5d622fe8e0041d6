#include "operator/progress_reader.h"

#include <fmt/format.h>

#include "base/log.h"
#include "operator/progress_view.h"
#include "schema/schema.h"

namespace kb::op {
namespace {

constexpr std::size_t workers_asked_max = 32;
constexpr auto time_max = std::chrono::seconds(2);

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
    if (!pod.running || pod.deleting || pod.ip.empty() || ++asked > workers_asked_max) continue;
    try {
      auto answer = http_.send(in_time, {.url = url_of(pod.ip)});
      if (answer.status == 200)
        workers.push_back(schema::read_text<api::WorkProgress>(
            answer.body, "progress", {.unknown_fields = schema::UnknownFields::ignore}));
    } catch (const Error& error) {
      ctx.check();
      LOG_DEBUG("progress of pod {} is unknown: {}", pod.name, error.what());
    }
  }
  return add_up(workers);
}

}  // namespace kb::op
