#include "cli/worker_server.h"

#include <fmt/format.h>

#include "net/http_client.h"
#include "schema/schema.h"

#include <doctest/doctest.h>

namespace kb::cli {
namespace {

api::WorkProgress progress_of(const engine::ProgressCounters& counters) {
  WorkerServer server(0, "backup", counters);
  const auto page = HttpClient({}).send(Context{}.with_timeout(std::chrono::minutes(1)),
                                        {.url = fmt::format("http://127.0.0.1:{}/progress", server.port())});
  REQUIRE(page.status == 200);
  return schema::read_text<api::WorkProgress>(page.body, "progress");
}

TEST_CASE("a worker tells what it has done and what keeps it from more") {
  engine::ProgressCounters counters;
  counters.records_total = 100;
  counters.records_done = 25;
  counters.held_back_offsets = 312;
  counters.hanging_transactions = 1;
  counters.breakers->enable({.failure_threshold = 1, .reset_timeout = std::chrono::hours(1)});
  counters.breakers->admit("kafka-1:9092").succeeded();
  counters.breakers->admit("kafka-2:9092").failed(Error(ErrorKind::unavailable, "refused"));
  const auto told = progress_of(counters);
  CHECK(told.phase == "backup");
  CHECK(told.records_done == 25);
  CHECK(told.held_back_offsets == 312);
  CHECK(told.hanging_transactions == 1);
  REQUIRE(told.left_alone.size() == 1);
  CHECK(told.left_alone[0].peer == "kafka-2:9092");
  CHECK(told.left_alone[0].failure.find("refused") != std::string::npos);
}

}  // namespace
}  // namespace kb::cli
