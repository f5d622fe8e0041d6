// kafka-backup: the program.
#include <csignal>
#include <exception>
#include <vector>

#include <malloc.h>

#include "base/log.h"
#include "base/signals.h"
#include "cli/commands.h"

namespace kb::cli {
namespace {

// Memory of a MiB comes and goes all the time. By default malloc would map and unmap each, and the kernel
// clear its pages: a third of the time of a backup. Kept in the heap, pages are used again. Not so the
// largest: answers of many sizes, which a pool keeps anyway, would leave holes in the heap that come to more
// than all that is in use.
void recycle_pages() {
  constexpr int mmap_bytes_min = 2 << 20, trim_bytes_min = 512 << 20;
  mallopt(M_MMAP_THRESHOLD, mmap_bytes_min);
  mallopt(M_TRIM_THRESHOLD, trim_bytes_min);
}

void ignore_signals() {
  std::signal(SIGPIPE, SIG_IGN);  // a broker or a reader that went away is an error of the write
  std::signal(SIGXFSZ, SIG_IGN);  // so is a limit of the file size
}

int fail_with(const Error& error, OutputFormat format) {
  write_error(error, format);
  return info(error.kind()).exit_code;
}

// Before the arguments are read nothing is known of the format but that somebody asked for JSON.
OutputFormat format_asked_for(const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i)
    if (arguments[i] == "--output=json" ||
        (i > 0 && arguments[i - 1] == "--output" && arguments[i] == "json"))
      return OutputFormat::json;
  return OutputFormat::text;
}

int carry_out(const Arguments& arguments) {
  StopOnSignal signals;
  set_up_logging(arguments.common.log_level,
                 arguments.common.log_format == "json" ? LogFormat::json : LogFormat::text);
  auto outcome = execute({.stop = signals.token()}, arguments);
  write_result(outcome.result, arguments.common.output);
  return outcome.failure ? fail_with(*outcome.failure, arguments.common.output) : 0;
}

int run_program(const std::vector<std::string>& given) {
  auto format = format_asked_for(given);
  try {
    auto parsed = parse_arguments(given);
    if (const auto* text = std::get_if<std::string>(&parsed)) {
      write_stdout(*text);
      return 0;
    }
    return carry_out(std::get<Arguments>(parsed));
  } catch (const Error& error) {
    return fail_with(error, format);
  } catch (const std::exception& error) {
    return fail_with(Error(ErrorKind::internal, error.what()), format);
  }
}

}  // namespace
}  // namespace kb::cli

int main(int argc, char** argv) {
  kb::cli::recycle_pages();
  kb::cli::ignore_signals();
  return kb::cli::run_program({argv + 1, argv + argc});
}
