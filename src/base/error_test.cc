#include "base/error.h"

#include <csignal>
#include <set>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

using namespace kb;

TEST_CASE("error: the table has one row per kind, in the order of the kinds") {
  CHECK(error_kinds().size() == static_cast<std::size_t>(ErrorKind::internal) + 1);
  std::set<std::string_view> names;
  std::set<int> exit_codes;
  std::set<std::string_view> reasons;
  for (std::size_t i = 0; i < error_kinds().size(); ++i) {
    const auto& row = error_kinds()[i];
    CHECK(row.kind == static_cast<ErrorKind>(i));
    CHECK(&info(row.kind) == &row);
    CHECK(row.exit_code > 1);  // 0 is success, 1 says nothing
    CHECK(row.exit_code < 256);
    CHECK_FALSE(row.meaning.empty());
    names.insert(row.name);
    exit_codes.insert(row.exit_code);
    reasons.insert(row.condition_reason);
  }
  CHECK(names.size() == error_kinds().size());
  CHECK(exit_codes.size() == error_kinds().size());
  CHECK(reasons.size() == error_kinds().size());
}

TEST_CASE("error: only what passes by itself is retried") {
  for (const auto& row : error_kinds()) {
    bool passes = row.kind == ErrorKind::timed_out || row.kind == ErrorKind::unavailable ||
                  row.kind == ErrorKind::throttled;
    CHECK(Error(row.kind, "x").retryable() == passes);
  }
}

TEST_CASE("error: context goes in front, kind and hint stay") {
  Error error(ErrorKind::denied, "disk full", "free space");
  auto outer = error.while_doing("uploading x").while_doing("backing up orders/3");
  CHECK(std::string(outer.what()) == "backing up orders/3: uploading x: disk full");
  CHECK(outer.kind() == ErrorKind::denied);
  CHECK(outer.hint() == "free space");
  CHECK_THROWS_WITH_AS(fail(ErrorKind::invalid, "{} of {}", 3, "x"), "3 of x", Error);
}

TEST_CASE("error: a broken invariant aborts, and says which") {
  int output[2];
  REQUIRE(::pipe(output) == 0);
  auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::signal(SIGABRT, SIG_DFL);  // not doctest's report
    ::dup2(output[1], STDERR_FILENO);
    check_failed("a < b", "file.cc", 7);
  }
  ::close(output[1]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGABRT);
  char text[100] = "";
  auto bytes = ::read(output[0], text, sizeof text - 1);
  CHECK(std::string_view(text, bytes > 0 ? static_cast<std::size_t>(bytes) : 0) ==
        "file.cc:7: CHECK failed: a < b\n");
  ::close(output[0]);
}
