// kafka-backup-operator: the program.
#include <csignal>
#include <cstdio>
#include <exception>

#include <malloc.h>

#include "base/log.h"
#include "base/signals.h"
#include "kube/config.h"
#include "operator/operator.h"
#include "operator/settings.h"

namespace kb::op {
namespace {

// Memory of a burst goes back to the kernel: the operator is small and lives long.
void keep_small() {
  constexpr int arenas_max = 2, trim_bytes_min = 256 << 10;
  mallopt(M_ARENA_MAX, arenas_max);
  mallopt(M_TRIM_THRESHOLD, trim_bytes_min);
  mallopt(M_MMAP_THRESHOLD, trim_bytes_min);
}

int fail_with(const Error& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  if (!error.hint().empty()) std::fprintf(stderr, "hint: %s\n", error.hint().c_str());
  return info(error.kind()).exit_code;
}

int run_program(const std::vector<std::string>& arguments) {
  StopOnSignal signals;
  try {
    const auto read = read_settings(arguments);
    if (const auto* text = std::get_if<std::string>(&read)) return std::fputs(text->c_str(), stdout) < 0;
    const auto& settings = std::get<Settings>(read);
    set_up_logging(settings.log_level, settings.log_format == "json" ? LogFormat::json : LogFormat::text);
    auto api = kube::connect(kube::default_config());
    Operator(*api, settings).run({.stop = signals.token()});
    return 0;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::cancelled) return 0;
    return fail_with(error);
  } catch (const std::exception& error) {
    return fail_with(Error(ErrorKind::internal, error.what()));
  }
}

}  // namespace
}  // namespace kb::op

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  kb::op::keep_small();
  return kb::op::run_program({argv + 1, argv + argc});
}
