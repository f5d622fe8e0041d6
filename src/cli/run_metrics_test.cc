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
  counters.lost_offsets = 7;
  counters.held_back_offsets = 312;
  counters.hanging_transactions = 1;
  auto text = run_metrics_text(RunKind::backup, "nightly-20251210-020000", counters, 5);
  CHECK(has(text, "kafka_backup_records_total{backup_id=\"nightly-20251210-020000\"} 25"));
  CHECK(has(text, "kafka_backup_snapshot_records_remaining{backup_id=\"nightly-20251210-020000\"} 75"));
  CHECK(has(text, "kafka_backup_throughput_bytes_per_sec{backup_id=\"nightly-20251210-020000\"} 1000"));
  CHECK(has(text, "kafka_backup_offsets_lost_total{backup_id=\"nightly-20251210-020000\"} 7"));
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

TEST_CASE("a continuous backup says how far it is behind, of the partitions that lag most") {
  engine::ProgressCounters counters;
  CHECK(run_metrics_text(RunKind::backup, "b", counters, 5).find("lag") == std::string::npos);
  counters.lags.note("orders", 0, {.log_end = 100, .position = 90, .records = 2, .bytes = 20});
  counters.lags.note("orders", 1, {.log_end = 7, .position = 7});
  counters.lags.note("orders", 2, {.log_end = 50, .position = 45, .read_until_ms = 1});
  counters.points.made("b-20250601-003100", 5, 1'748'737'860'000);
  auto text = run_metrics_text(RunKind::backup, "b", counters, 5, 2);
  CHECK(has(text, R"(kafka_backup_lag_records{topic="orders",partition="0",backup_id="b"} 10)"));
  CHECK(has(text, R"(kafka_backup_lag_bytes{topic="orders",partition="0",backup_id="b"} 100)"));
  CHECK(has(text, R"(kafka_backup_lag_seconds{topic="orders",partition="0",backup_id="b"} 0)"));
  CHECK(text.find(R"(kafka_backup_lag_seconds{topic="orders",partition="2",backup_id="b"} 1)") !=
        std::string::npos);
  CHECK(text.find(R"(partition="1")") == std::string::npos);
  CHECK(has(text, R"(kafka_backup_lag_records_max{backup_id="b"} 10)"));
  CHECK(has(text, R"(kafka_backup_lag_records_sum{backup_id="b"} 15)"));
  CHECK(has(text, R"(kafka_backup_restore_points_total{backup_id="b"} 1)"));
  CHECK(has(text, R"(kafka_backup_restore_point_timestamp_seconds{backup_id="b"} 1748737860)"));
  CHECK(run_metrics_text(RunKind::backup, "b", counters, 5).find(R"(partition="1")") != std::string::npos);
}

TEST_CASE("spec.metrics.maxPartitionLabels bounds the partitions on the page") {
  engine::ProgressCounters counters;
  for (int p = 0; p < 5; ++p) counters.lags.note("orders", p, {.log_end = 10, .position = p});
  api::Metrics settings{.port = 0, .bind_address = "127.0.0.1", .max_partition_labels = 3};
  RunMetrics metrics(settings, RunKind::backup, "b", counters);
  const auto body = HttpClient({})
                        .send(Context{}.with_timeout(std::chrono::minutes(1)),
                              {.url = fmt::format("http://127.0.0.1:{}/metrics", metrics.port())})
                        .body;
  int found = 0;
  for (auto at = body.find("kafka_backup_lag_records{"); at != std::string::npos;
       at = body.find("kafka_backup_lag_records{", at + 1))
    ++found;
  CHECK(found == 3);
}

}  // namespace
}  // namespace kb::cli
