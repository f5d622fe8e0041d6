#include "operator/metrics.h"

#include <algorithm>
#include <set>
#include <sstream>

#include "operator/backup_figures.h"
#include "operator/sample_views.h"

#include <doctest/doctest.h>

namespace kb::op {
namespace {

const kube::ObjectKey nightly{"kafka", "nightly"};

MetricsSnapshot snapshot_of(const ResourceView& backup) {
  return {.version = "1.2.3",
          .identity = "pod-1",
          .leader = true,
          .healthy = true,
          .managed = {{"KafkaBackup", 2}},
          .requests = {{{"GET", "jobs"}, {.requests = 7, .failures = 1}}},
          .each_backup = [&backup](const auto& use) { use(backup); }};
}

ResourceView sample_backup() {
  auto backup =
      sample::resource("KafkaBackup", sample::backup_spec(R"(,"schedule":"0 * * * *","suspend":true)"));
  backup.status = {
      {"recordsProcessed", 1000},
      {"bytesProcessed", 2048},
      {"lastBackupTime", "2025-06-01T00:00:00Z"},
      {"skippedTicks", 3},
      {"lastRetentionTime", "2025-06-01T00:00:00Z"},
      {"retentionError", "denied"},
      {"progress",
       {{"percent", 40}, {"circuitBreakersOpen", 2}, {"heldBackOffsets", 312}, {"hangingTransactions", 1}}},
      {"lostOffsets", 7},
      {"currentRun", {{"job", "j"}, {"startTime", "2025-06-01T00:10:00Z"}}},
      {"restorePoints", {{"count", 5}, {"bytes", 99}, {"first", "2025-05-01T00:00:00Z"}}}};
  return backup;
}

std::string page() {
  Metrics metrics;
  metrics.reconciled("KafkaBackup", 0.02, false);
  metrics.reconciled("KafkaBackup", 20, true);
  metrics.run_finished("KafkaBackup", nightly, {.succeeded = true, .seconds = 7});
  metrics.run_finished("KafkaBackup", nightly, {.succeeded = false, .seconds = 9});
  metrics.run_finished("KafkaRestore", nightly, {.succeeded = true, .seconds = 3});
  const auto backup = sample_backup();
  return metrics.text(snapshot_of(backup));
}

// "name{labels}" to value.
std::map<std::string, double> series_of(const std::string& text) {
  std::map<std::string, double> series;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (!line.starts_with("#")) {
      const auto space = line.rfind(' ');
      CHECK(series.try_emplace(line.substr(0, space), std::stod(line.substr(space))).second);
    }
  return series;
}

TEST_CASE("the exposition has what was counted and what statuses say") {
  const auto series = series_of(page());
  const std::string of_nightly = R"({resource_namespace="kafka",name="nightly"})";
  auto value = [&](const std::string& name) {
    CAPTURE(name);
    auto found = series.find(name);
    CHECK(found != series.end());
    return found == series.end() ? -1 : found->second;
  };
  CHECK(value(R"(kafka_backup_operator_build_info{version="1.2.3"})") == 1);
  CHECK(value(R"(kafka_backup_operator_leader{identity="pod-1"})") == 1);
  CHECK(value(R"(kafka_backup_operator_managed_resources{kind="KafkaBackup"})") == 2);
  CHECK(value(R"(kafka_backup_operator_reconciliations_total{kind="KafkaBackup"})") == 2);
  CHECK(value(R"(kafka_backup_operator_reconciliation_errors_total{kind="KafkaBackup"})") == 1);
  CHECK(value(R"(kafka_backup_operator_reconcile_duration_seconds_bucket{kind="KafkaBackup",le="0.05"})") ==
        1);
  CHECK(value(R"(kafka_backup_operator_reconcile_duration_seconds_bucket{kind="KafkaBackup",le="+Inf"})") ==
        2);
  for (const std::string outcome : {"success", "failure"}) {
    const auto rest = outcome + R"(",resource_namespace="kafka",name="nightly"})";
    CHECK(value(R"(kafka_backup_operator_backups_total{outcome=")" + rest) == 1);
    CHECK(value(R"(kafka_backup_backups_total{status=")" + rest) == 1);
  }
  CHECK(value("kafka_backup_operator_backup_duration_seconds_sum" + of_nightly) == 7);
  CHECK(value(R"(kafka_backup_operator_api_request_errors_total{method="GET",resource="jobs"})") == 1);
  CHECK(value("kafka_backup_operator_backup_size_bytes" + of_nightly) == 2048);
  CHECK(value("kafka_backup_backup_size_bytes" + of_nightly) == 2048);
  CHECK(value("kafka_backup_last_success_timestamp_seconds" + of_nightly) == 1748736000);
  CHECK(value("kafka_backup_never_succeeded" + of_nightly) == 0);
  CHECK(value("kafka_backup_schedule_interval_seconds" + of_nightly) == 3600);
  CHECK(value("kafka_backup_suspended" + of_nightly) == 1);
  CHECK(value("kafka_backup_run_in_progress" + of_nightly) == 1);
  CHECK(value("kafka_backup_run_progress_ratio" + of_nightly) == doctest::Approx(0.4));
  CHECK(value("kafka_backup_run_circuit_breakers_open" + of_nightly) == 2);
  CHECK(value("kafka_backup_run_held_back_offsets" + of_nightly) == 312);
  CHECK(value("kafka_backup_run_hanging_transactions" + of_nightly) == 1);
  CHECK(value("kafka_backup_lost_offsets" + of_nightly) == 7);
  CHECK(value("kafka_backup_restore_points" + of_nightly) == 5);
  CHECK(value("kafka_backup_retention_error" + of_nightly) == 1);
  CHECK(value("kafka_backup_skipped_ticks_total" + of_nightly) == 3);
  CHECK(!series.contains("kafka_backup_last_failure_timestamp_seconds" + of_nightly));
}

TEST_CASE("families are declared once, well named, and nothing else is shown") {
  // Gauges of the operator that users had before; their dashboards go by the name.
  const std::set<std::string_view> kept = {"kafka_backup_operator_backup_records_total",
                                           "kafka_backup_lag_records_sum"};
  std::set<std::string_view> names;
  for (const auto& info : metric_families()) {
    CAPTURE(info.name);
    CHECK(names.insert(info.name).second);
    CHECK(info.name.starts_with("kafka_backup_"));
    CHECK(info.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos);
    CHECK(info.help.ends_with("."));
    if (kept.contains(info.name)) continue;
    CHECK(info.name.ends_with("_total") == (info.kind == MetricKind::counter));
    for (auto* suffix : {"_bucket", "_count", "_sum"}) CHECK(!info.name.ends_with(suffix));
  }
  std::set<std::string> shown;
  std::istringstream lines(page());
  for (std::string line, name; std::getline(lines, line);)
    if (line.starts_with("# TYPE ")) {
      name = line.substr(7, line.find(' ', 7) - 7);
      CAPTURE(name);
      CHECK(shown.insert(name).second);
      CHECK(names.contains(name));
    }
  CHECK(shown.size() > 30);
}

TEST_CASE("series of a resource that went are gone, and one that says nothing of use has its few") {
  Metrics metrics;
  metrics.run_finished("KafkaBackup", nightly, {.succeeded = true, .seconds = 7});
  metrics.lag(nightly, {.lag_records = 5});
  metrics.forget("KafkaBackup", nightly);
  auto backup = sample::resource("KafkaBackup", R"({"schedule":"never","topics":5})");
  backup.status = boost::json::parse(R"({"restorePoints":[],"lostOffsets":null})");
  const auto text = metrics.text(snapshot_of(backup));
  CHECK(text.find("backups_total") == std::string::npos);
  CHECK(text.find("lag_records") == std::string::npos);
  CHECK(text.find("skipped_ticks") == std::string::npos);
  CHECK(text.find("schedule_interval") == std::string::npos);
  CHECK(text.find(R"(kafka_backup_never_succeeded{resource_namespace="kafka",name="nightly"} 1)") !=
        std::string::npos);
}

TEST_CASE("METRICS_MAX_PARTITION_LABELS bounds the partitions that are told one by one, not the sums") {
  const api::WorkProgress progress{.lag_records = 111,
                                   .lagging = {{"orders", 0, 1}, {"orders", 1, 100}, {"audit", 0, 10}}};
  for (std::size_t bound : {1u, 2u, 0u}) {
    CAPTURE(bound);
    Metrics metrics(bound);
    metrics.lag(nightly, {.lag_records = 5, .lagging = {{"gone", 0, 5}}});
    metrics.lag(nightly, progress);
    const auto text = metrics.text({});
    const auto has = [&](const std::string& sample) { return text.find(sample + "\n") != std::string::npos; };
    const std::string of = R"({resource_namespace="kafka",name="nightly")";
    CHECK(has("kafka_backup_lag_records" + of + R"(,topic="orders",partition="1"} 100)"));
    CHECK(has("kafka_backup_lag_records" + of + R"(,topic="audit",partition="0"} 10)") == (bound != 1));
    CHECK(has("kafka_backup_lag_records" + of + R"(,topic="orders",partition="0"} 1)") == (bound == 0));
    CHECK(has("kafka_backup_lag_records_max" + of + "} 100"));
    CHECK(has("kafka_backup_lag_records_sum" + of + "} 111"));
    CHECK(text.find("gone") == std::string::npos);
    metrics.no_lag(nightly);
    CHECK(metrics.text({}).find("lag_records") == std::string::npos);
  }
}

TEST_CASE("names with quotes cannot break the page") {
  Metrics metrics;
  metrics.reconciled("Kind\"x\n", 1, false);
  CHECK(metrics.text({}).find(R"(kind="Kind\"x\n")") != std::string::npos);
}

}  // namespace
}  // namespace kb::op
