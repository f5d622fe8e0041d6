#include "base/log.h"

#include <cstdio>
#include <memory>
#include <mutex>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

#include "base/error.h"

namespace kb {
namespace {

std::mutex hooks_mutex;
LogHooks hooks;  // guarded by hooks_mutex

class StderrSink : public spdlog::sinks::base_sink<std::mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    std::lock_guard lock(hooks_mutex);
    if (hooks.before) hooks.before(hooks.argument);
    std::fwrite(line.data(), 1, line.size(), stderr);
    if (hooks.after) hooks.after(hooks.argument);
  }
  void flush_() override { std::fflush(stderr); }
};

// %* : the message as the inside of a JSON string.
class JsonEscaped : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    for (char c : message.payload) {
      if (c == '"' || c == '\\') {
        out.push_back('\\');
        out.push_back(c);
      } else if (static_cast<unsigned char>(c) < 0x20) {
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
      } else {
        out.push_back(c);
      }
    }
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<JsonEscaped>(); }
};

}  // namespace

void set_up_logging(std::string_view level, LogFormat format) {
  auto parsed = spdlog::level::from_str(std::string(level));
  if (parsed == spdlog::level::off && level != "off")
    fail(ErrorKind::invalid, "log level '{}' is not one of trace, debug, info, warn, error, off", level);
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  if (format == LogFormat::json) {
    formatter->add_flag<JsonEscaped>('*');
    formatter->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":"%*"})");
  } else {
    formatter->set_pattern("%Y-%m-%dT%H:%M:%SZ %-5l %v");
  }
  auto logger = std::make_shared<spdlog::logger>("kafka-backup", std::make_shared<StderrSink>());
  logger->set_formatter(std::move(formatter));
  logger->set_level(parsed);
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
}

void set_log_hooks(const LogHooks& new_hooks) {
  std::lock_guard lock(hooks_mutex);
  hooks = new_hooks;
}

}  // namespace kb
