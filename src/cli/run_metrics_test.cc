#include "cli/run_metrics.h"

#include "net/http_client.h"

#include <doctest/doctest.h>

namespace kb::cli {
namespace {

bool has(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST_CASE("a run's metrics are its counters, under the names that users know") {
  engine::ProgressCounters counters;
  counters.records_total = 100;
  counters.records_done = 25;
  counters.bytes_done = 5000;
  counters.held_back_offsets = 312;
  counters.hanging_transactions = 1;
  auto text = run_metrics_text(RunKind::backup, "nightly-20251210-020000", counters, 5);
  CHECK(has(text, "kafka_backup_records_total{backup_id=\"nightly-20251210-020000\"} 25"));
  CHECK(has(text, "kafka_backup_snapshot_records_remaining{backup_id=\"nightly-20251210-020000\"} 75"));
  CHECK(has(text, "kafka_backup_throughput_bytes_per_sec{backup_id=\"nightly-20251210-020000\"} 1000"));
  CHECK(has(text, "kafka_backup_held_back_offsets{backup_id=\"nightly-20251210-020000\"} 312"));
  CHECK(has(text, "kafka_backup_hanging_transactions{backup_id=\"nightly-20251210-020000\"} 1"));
  text = run_metrics_text(RunKind::restore, "back", counters, 5);
  CHECK(has(text, "kafka_restore_progress_percent{restore_id=\"back\"} 25"));
  CHECK(has(text, "kafka_restore_eta_seconds{restore_id=\"back\"} 15"));
}

TEST_CASE("the state of each circuit breaker is told, by peer") {
  engine::ProgressCounters counters;
  counters.breakers->enable({.failure_threshold = 1, .reset_timeout = std::chrono::hours(1)});
  counters.breakers->admit("kafka-1:9092").succeeded();
  counters.breakers->admit("kafka-2:9092").failed(Error(ErrorKind::unavailable, "refused"));
  const auto text = run_metrics_text(RunKind::backup, "b", counters, 5);
  CHECK(has(text, "kafka_backup_circuit_breaker_state{backup_id=\"b\",peer=\"kafka-1:9092\"} 0"));
  CHECK(has(text, "kafka_backup_circuit_breaker_state{backup_id=\"b\",peer=\"kafka-2:9092\"} 2"));
  CHECK(has(text, "kafka_backup_circuit_breaker_opened_total{backup_id=\"b\",peer=\"kafka-2:9092\"} 1"));
}

TEST_CASE("spec.metrics says where they are served, and how often they are made anew") {
  engine::ProgressCounters counters;
  counters.records_done = 1;
  api::Metrics settings{
      .port = 0, .bind_address = "127.0.0.1", .path = "/run", .update_interval_ms = 3'600'000};
  RunMetrics metrics(settings, RunKind::backup, "b", counters);
  HttpClient client({});
  auto ask = [&](const std::string& path) {
    return client.send(Context{}.with_timeout(std::chrono::minutes(1)),
                       {.url = fmt::format("http://127.0.0.1:{}{}", metrics.port(), path)});
  };
  CHECK(ask("/metrics").status == 404);
  CHECK(has(ask("/run").body, "kafka_backup_records_total{backup_id=\"b\"} 1"));
  counters.records_done = 2;
  CHECK(has(ask("/run").body, "kafka_backup_records_total{backup_id=\"b\"} 1"));
}

TEST_CASE("nothing is served unless it is asked for") {
  engine::ProgressCounters counters;
  CHECK(serve_run_metrics(std::nullopt, RunKind::backup, "b", counters) == nullptr);
  CHECK(serve_run_metrics(api::Metrics{.enabled = false}, RunKind::backup, "b", counters) == nullptr);
}

}  // namespace
}  // namespace kb::cli
