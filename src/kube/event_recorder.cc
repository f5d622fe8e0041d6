#include "kube/event_recorder.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <tuple>

#include "base/cut_text.h"
#include "base/log.h"
#include "schema/rfc3339.h"

namespace kb::kube {
namespace {

constexpr std::size_t message_bytes_max = 1000, remembered_max = 1000, name_bytes_max = 200;
constexpr auto same_within = std::chrono::minutes(10);
constexpr auto write_timeout = std::chrono::seconds(10);
constexpr int writes_per_second = 10;

std::string now_text() {
  return schema::format_rfc3339(std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()));
}

// Of what is the same event again.
using Sameness = std::tuple<std::string, std::string, std::string>;  // subject's uid, reason, message

// What has been written, or is being written.
struct Written {
  std::string path_name, first_time;
  std::int64_t count = 0;
  Clock::time_point last = {};
};

}  // namespace

struct EventRecorder::State {
  Api& api;
  const std::string component, instance;
  std::mutex mutex;
  // guarded by mutex
  std::map<Sameness, Written> written;
  std::minstd_rand random{std::random_device{}()};
  Clock::time_point second = {};  // the one that `in_second` counts
  int in_second = 0;
  std::uint64_t left_out = 0;

  State(Api& a, std::string c, std::string i) : api(a), component(std::move(c)), instance(std::move(i)) {}

  // Whether one more may be written now. mutex is held.
  bool within_rate(Clock::time_point now) {
    if (now - second >= std::chrono::seconds(1)) {
      second = now;
      in_second = 0;
      if (left_out > 0) LOG_WARN("{} events were not written: too many in a second", left_out);
      left_out = 0;
    }
    if (in_second == writes_per_second) {
      ++left_out;
      return false;
    }
    ++in_second;
    return true;
  }

  // Counts it; nothing when it must not be written now. A count of 1 is a new event.
  std::optional<Written> note(const EventSubject& subject, const std::string& reason,
                              const std::string& message) {
    std::lock_guard lock(mutex);
    auto now = Clock::now();
    auto& known = written[{subject.uid, reason, message}];
    if (known.count == 0 || now - known.last > same_within)
      known = {.path_name = new_name(subject), .first_time = now_text()};
    ++known.count;
    known.last = now;
    auto noted = known;
    forget_oldest();
    return within_rate(now) ? std::optional(noted) : std::nullopt;
  }
  void forget_oldest() {
    if (written.size() <= remembered_max) return;
    written.erase(std::min_element(written.begin(), written.end(), [](const auto& a, const auto& b) {
      return a.second.last < b.second.last;
    }));
  }
  // A DNS subdomain (RFC 1123) of at most 253 bytes, as the subject's name is one.
  std::string new_name(const EventSubject& subject) {
    auto name = subject.name.substr(0, name_bytes_max);
    while (!name.empty() && (name.back() == '.' || name.back() == '-')) name.pop_back();
    return fmt::format("{}.{:08x}{:08x}", name, random(), random());
  }

  json::value event(const EventSubject& subject, EventType type, std::string_view reason,
                    const std::string& message, const Written& noted) const {
    return {{"apiVersion", "v1"},
            {"kind", "Event"},
            {"metadata", {{"name", noted.path_name}, {"namespace", namespace_of(subject)}}},
            {"involvedObject",
             {{"apiVersion", subject.api_version},
              {"kind", subject.kind},
              {"namespace", subject.resource_namespace},
              {"name", subject.name},
              {"uid", subject.uid},
              {"resourceVersion", subject.resource_version}}},
            {"reason", reason},
            {"message", message},
            {"type", type == EventType::warning ? "Warning" : "Normal"},
            {"source", {{"component", component}}},
            {"reportingComponent", component},
            {"reportingInstance", instance},
            {"firstTimestamp", noted.first_time},
            {"lastTimestamp", now_text()},
            {"count", noted.count}};
  }
  // Events of what is in no namespace are in the default one.
  static std::string namespace_of(const EventSubject& subject) {
    return subject.resource_namespace.empty() ? "default" : subject.resource_namespace;
  }

  void write(const Context& ctx, const json::value& event, const Written& noted) {
    auto resource_namespace = text_at(event, "metadata.namespace");
    if (noted.count > 1) {
      json::value patch{{"count", noted.count}, {"lastTimestamp", text_at(event, "lastTimestamp")}};
      try {
        merge_patch(ctx, api, path_of(events, resource_namespace, noted.path_name), patch, component);
        return;
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::not_found) throw;  // the server forgets events after an hour
      }
    }
    create(ctx, api, path_of(events, resource_namespace), event);
  }
};

EventRecorder::EventRecorder(Api& api, std::string component, std::string instance)
    : state_(std::make_unique<State>(api, std::move(component), std::move(instance))) {}

EventRecorder::~EventRecorder() {
  if (state_->left_out > 0) LOG_WARN("{} events were not written: too many in a second", state_->left_out);
}

void EventRecorder::record(const Context& ctx, const EventSubject& subject, EventType type,
                           std::string_view reason, std::string_view message) {
  auto text = cut_text(message, message_bytes_max);
  auto noted = state_->note(subject, std::string(reason), text);
  if (!noted) return;
  try {
    state_->write(ctx.with_timeout(write_timeout), state_->event(subject, type, reason, text, *noted),
                  *noted);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::cancelled)
      LOG_WARN("event {} of {}/{} is not written: {}", reason, subject.resource_namespace, subject.name,
               error.what());
  }
}

}  // namespace kb::kube
