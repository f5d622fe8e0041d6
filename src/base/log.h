// Logging to stderr as text or JSON lines. Thread-safe.
#pragma once
#include <string_view>

#include <spdlog/spdlog.h>

namespace kb {

enum class LogFormat { text, json };

// `level` is trace, debug, info, warn, error or off; throws invalid for anything else.
void set_up_logging(std::string_view level, LogFormat format);

// Called before and after each line is written, so that a progress bar can step aside; null to remove.
struct LogHooks {
  void (*before)(void*) = nullptr;
  void (*after)(void*) = nullptr;
  void* argument = nullptr;
};
void set_log_hooks(const LogHooks& hooks);

}  // namespace kb

#define LOG_DEBUG(...) ::spdlog::debug(__VA_ARGS__)
#define LOG_INFO(...) ::spdlog::info(__VA_ARGS__)
#define LOG_WARN(...) ::spdlog::warn(__VA_ARGS__)
#define LOG_ERROR(...) ::spdlog::error(__VA_ARGS__)
