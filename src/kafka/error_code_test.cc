#include "kafka/error_code.h"

#include <set>

#include <doctest/doctest.h>

namespace kb::kafka {
namespace {

TEST_CASE("the table has every code once, and no retriable one is our bug or the user's") {
  std::set<ErrorCode> codes;
  std::set<std::string_view> names;
  for (const auto& row : error_codes()) {
    CHECK_MESSAGE(codes.insert(row.code).second, row.name);
    CHECK_MESSAGE(names.insert(row.name).second, row.name);
    CHECK_FALSE(row.meaning.empty());
    CHECK_EQ(name(row.code), row.name);
    CHECK_EQ(retriable(row.code), row.retriable);
    CHECK_EQ(kind(row.code), row.kind);
    if (row.retriable)
      CHECK_MESSAGE((row.kind != ErrorKind::internal && row.kind != ErrorKind::invalid), row.name);
  }
  CHECK_FALSE(retriable(ErrorCode::none));
}

TEST_CASE("codes that we do not know are named by their number and not retried") {
  const ErrorCode future{999};
  CHECK_EQ(name(future), "UNKNOWN");
  CHECK_FALSE(retriable(future));
  CHECK_NE(describe(future).find("999"), std::string::npos);
}

TEST_CASE("require() throws what the broker said") {
  CHECK_NOTHROW(require(ErrorCode::none, "deleting topic orders", "ignored"));
  try {
    require(ErrorCode::topic_authorization_failed, "deleting topic orders", "no ACL");
    FAIL("nothing was thrown");
  } catch (const Error& error) {
    CHECK_EQ(error.kind(), ErrorKind::denied);
    CHECK_EQ(std::string_view(error.what()),
             "deleting topic orders: TOPIC_AUTHORIZATION_FAILED (29): not allowed on this topic (the broker "
             "says: no ACL)");
  }
}

}  // namespace
}  // namespace kb::kafka
