#include "base/log.h"

#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/temporary_directory.h"

#include <doctest/doctest.h>

using namespace kb;

namespace {

// What is written to stderr while act() runs.
template <class Act>
std::string stderr_of(Act act) {
  TemporaryDirectory directory;
  auto path = directory.path_of("stderr");
  int saved = ::dup(STDERR_FILENO);
  int file = ::open(path.c_str(), O_WRONLY | O_CREAT, 0600);
  REQUIRE(::dup2(file, STDERR_FILENO) >= 0);
  act();
  ::dup2(saved, STDERR_FILENO);
  ::close(saved);
  ::close(file);
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::string json_message_of(const std::string& message) {
  auto line = stderr_of([&] {
    set_up_logging("info", LogFormat::json);
    LOG_INFO("{}", message);
  });
  constexpr std::string_view before = R"("level":"info","message":")";
  auto start = line.find(before);
  if (!line.starts_with(R"({"time":"20)") || start == std::string::npos || !line.ends_with("\"}\n"))
    return "not a line as it should be: " + line;
  start += before.size();
  return line.substr(start, line.size() - start - 3);
}

}  // namespace

TEST_CASE("log: JSON lines escape what JSON must") {
  CHECK(json_message_of("plain") == "plain");
  CHECK(json_message_of(R"(a "quoted" \ path)") == R"(a \"quoted\" \\ path)");
  CHECK(json_message_of("two\nlines\t\x01\x1f") == R"(two\u000alines\u0009\u0001\u001f)");
  CHECK(json_message_of("gr\xc3\xbc\xc3\x9f") == "gr\xc3\xbc\xc3\x9f");
  CHECK(json_message_of("{}") == "{}");
  CHECK(json_message_of("") == "");
}

TEST_CASE("log: text lines, levels") {
  auto text = stderr_of([] {
    set_up_logging("warn", LogFormat::text);
    LOG_DEBUG("debug {}", 1);
    LOG_INFO("info {}", 2);
    LOG_WARN("warn {}", 3);
    LOG_ERROR("error {}", 4);
  });
  CHECK(text.find("debug 1") == std::string::npos);
  CHECK(text.find("info 2") == std::string::npos);
  CHECK(text.find(" warn 3\n") != std::string::npos);
  CHECK(text.find(" error 4\n") != std::string::npos);
  CHECK(stderr_of([] {
          set_up_logging("off", LogFormat::text);
          LOG_ERROR("x");
        }).empty());
  CHECK_THROWS_WITH_AS(set_up_logging("loud", LogFormat::text),
                       "log level 'loud' is not one of trace, debug, info, warn, error, off", Error);
}

TEST_CASE("log: hooks are called around every line") {
  std::string calls;
  auto before = [](void* argument) { *static_cast<std::string*>(argument) += "<"; };
  auto after = [](void* argument) { *static_cast<std::string*>(argument) += ">"; };
  stderr_of([&] {
    set_up_logging("info", LogFormat::text);
    set_log_hooks({before, after, &calls});
    LOG_INFO("one");
    LOG_INFO("two");
    set_log_hooks({});
    LOG_INFO("three");
  });
  CHECK(calls == "<><>");
}
