// The run that a resource has under way: written before its Job is created, removed when its outcome is
// written, so that whoever comes after a crash goes on with it. Additive.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "schema/field.h"

namespace kb::api {

enum class RunTrigger { spec, schedule, run_now };
constexpr auto enum_names(RunTrigger) {
  return std::array<std::string_view, 3>{"spec", "schedule", "run-now"};
}

struct CurrentRun {
  std::string backup_id;
  RunTrigger trigger = RunTrigger::spec;
  std::optional<schema::Timestamp> tick;
  std::string token;
  std::string spec_sha256;
  std::string job;
  std::int32_t shards = 1;
  bool dry_run = false;
  bool finishing = false;
  bool cancelled = false;
  bool continuous = false;
  schema::Timestamp start_time{};

  void fields(auto& f) {
    f("backupId", backup_id, "The backup that is made or restored; empty: the newest.");
    f("trigger", trigger,
      "What began it: the spec itself, its schedule, or the annotation kafka.oso.sh/run-now.");
    f("tick", tick, "KafkaBackup: which tick of the schedule.");
    f("token", token, "Which token of the annotation.");
    f("specSha256", spec_sha256, "KafkaBackup: digest of the part of the spec that decides what is done.");
    f("job", job, "The Job that does the work.");
    f("shards", shards, "Pods that share the work.");
    f("dryRun", dry_run, "KafkaRestore: whether it only plans.");
    f("finishing", finishing, "Whether all shards are done and the Job that finishes the run is under way.");
    f("cancelled", cancelled, "KafkaBackup: whether it is being stopped: to be replaced, or suspended.");
    f("continuous", continuous, "KafkaBackup: whether it goes on until it is stopped.");
    f("startTime", start_time, "When it began.");
  }
  bool operator==(const CurrentRun&) const = default;
};

struct RunProgress {
  std::optional<std::uint64_t> partitions_done;
  std::optional<std::uint64_t> partitions_total;
  std::optional<std::uint64_t> records_done;
  std::optional<std::uint64_t> records_total;
  std::optional<std::uint64_t> bytes_done;
  std::optional<std::uint32_t> percent;
  std::optional<std::uint64_t> eta_seconds;
  std::optional<std::uint64_t> circuit_breakers_open;
  std::optional<std::uint64_t> held_back_offsets;
  std::optional<std::uint64_t> hanging_transactions;

  void fields(auto& f) {
    f("partitionsDone", partitions_done, "Partitions that are finished.");
    f("partitionsTotal", partitions_total, "Partitions of the run.");
    f("recordsDone", records_done, "Offsets that are covered, or records that are written.");
    f("recordsTotal", records_total, "Of how many.");
    f("bytesDone", bytes_done, "Bytes of record batches that are copied.");
    f("percent", percent, "How far it is.");
    f("etaSeconds", eta_seconds, "Seconds until it is done, at this speed.");
    f("circuitBreakersOpen", circuit_breakers_open,
      "Brokers and storages that are left alone, as spec.circuitBreaker says; the message names them.");
    f("heldBackOffsets", held_back_offsets, "Offsets behind open transactions, which are not captured.");
    f("hangingTransactions", hanging_transactions,
      "Partitions whose open transaction nobody seems to be going to end.");
  }
  bool operator==(const RunProgress&) const = default;
};

}  // namespace kb::api
