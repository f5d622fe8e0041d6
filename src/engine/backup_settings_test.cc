#include "engine/backup_settings.h"

#include <doctest/doctest.h>

namespace kb::engine {
namespace {

constexpr std::size_t mebibyte = 1 << 20;

TEST_CASE("blocks are encoded as spec.compression, compressionLevel and recompress say") {
  api::KafkaBackupSpec spec;
  CHECK(block_settings(spec).encoding == archive::BlockEncoding::zstd);
  CHECK(block_settings(spec).level == 3);
  CHECK(!block_settings(spec).recompress);
  spec.compression = api::Compression::lz4;
  spec.compression_level = 9;
  spec.recompress = api::Recompress::always;
  CHECK(block_settings(spec).encoding == archive::BlockEncoding::lz4);
  CHECK(block_settings(spec).level == 9);
  CHECK(block_settings(spec).recompress);
  spec.compression = api::Compression::none;
  CHECK(block_settings(spec).encoding == archive::BlockEncoding::as_is);
}

TEST_CASE("segments are closed by spec.segmentMaxBytes and segmentMaxIntervalMs, within bounds") {
  BackupRequest request{.memory_bytes_max = 1024 * mebibyte};
  CHECK(segment_settings(request).segment_bytes_max == 64 * mebibyte);
  request.spec.segment_max_bytes = 5 * mebibyte;
  request.spec.segment_max_interval_ms = 1500;
  CHECK(segment_settings(request).segment_bytes_max == 5 * mebibyte);
  CHECK(segment_settings(request).segment_interval_max == std::chrono::milliseconds(1500));
  request.memory_bytes_max = 8 * mebibyte;
  CHECK(segment_settings(request).segment_bytes_max == mebibyte);
}

TEST_CASE("checkpoints come as spec.checkpoint says") {
  BackupRequest request;
  CHECK(segment_settings(request).checkpoints);
  CHECK(segment_settings(request).checkpoint_interval == std::chrono::seconds(30));
  request.spec.checkpoint = api::Checkpoint{.enabled = false, .interval_secs = 7};
  CHECK(!segment_settings(request).checkpoints);
  CHECK(segment_settings(request).checkpoint_interval == std::chrono::seconds(7));
}

TEST_CASE("as many fetch as spec.kafkaCluster.connection.connectionsPerBroker leaves beside the control") {
  BackupRequest request;
  auto workers_of = [&](std::uint64_t connections) {
    request.spec.kafka_cluster.connection = api::Connection{.connections_per_broker = connections};
    return fetch_settings(request, 1).workers;
  };
  CHECK(fetch_settings(request, 1).workers == 3);
  CHECK(workers_of(6) == 5);
  CHECK(workers_of(1) == 1);
  CHECK(workers_of(1000) == 8);
}

TEST_CASE("each broker has workers of its own, and one is left for what has no leader") {
  BackupRequest request;
  CHECK(fetch_settings(request, 1).threads == 4);
  CHECK(fetch_settings(request, 3).threads == 10);
  CHECK(fetch_settings(request, 0).threads == 4);
  CHECK(fetch_settings(request, 1000).threads == 48);
  const auto limits = scheduler_limits(fetch_settings(request, 3));
  CHECK(limits.workers_per_broker == 3);
  CHECK(limits.turns_per_worker == 4);
  CHECK(limits.turns_at_once_max == 24);
  CHECK(!limits.follows);
}

TEST_CASE("spec.kafkaCluster.clientRack is told to brokers; without it leaders are read") {
  BackupRequest request;
  CHECK(fetch_settings(request, 3).client_rack.empty());
  request.spec.kafka_cluster.client_rack = "rack-2";
  CHECK(fetch_settings(request, 3).client_rack == "rack-2");
  CHECK(follow_fetch_settings(request, 3).client_rack == "rack-2");
}

TEST_CASE("as many partitions are read at once as spec.rateLimiting.maxConcurrentPartitions says") {
  BackupRequest request;
  CHECK(fetch_settings(request, 1).partitions_at_once_max >= 1'000'000);
  request.spec.rate_limiting = api::RateLimiting{};
  CHECK(fetch_settings(request, 1).partitions_at_once_max == 4);
  request.spec.rate_limiting->max_concurrent_partitions = 1;
  CHECK(fetch_settings(request, 1).partitions_at_once_max == 1);
}

TEST_CASE("a run with spec.rateLimiting.bytesPerSec asks for little at a time") {
  BackupRequest request;
  CHECK(fetch_settings(request, 1).answer_bytes_max == 16 * mebibyte);
  request.spec.rate_limiting = api::RateLimiting{.bytes_per_sec = mebibyte};
  CHECK(fetch_settings(request, 1).answer_bytes_max == mebibyte / 4);
  CHECK(fetch_settings(request, 1).answer_bytes_min == mebibyte / 4);
  CHECK(fetch_settings(request, 2).answer_bytes_max == mebibyte / 8);
}

TEST_CASE("what fetches may have on their way leaves most of the memory to what has arrived") {
  BackupRequest request;
  const std::size_t sizes[] = {16 * mebibyte, 128 * mebibyte, 1024 * mebibyte};
  for (std::size_t memory : sizes) {
    for (std::size_t brokers : {1U, 3U, 10U, 1000U}) {
      request.memory_bytes_max = memory;
      const auto settings = fetch_settings(request, brokers);
      CHECK(settings.threads * settings.answer_bytes_min <= settings.in_flight_bytes_max);
      CHECK(settings.answer_bytes_min <= settings.answer_bytes_max);
    }
    const auto settings = fetch_settings(request, 1);
    CHECK(settings.in_flight_bytes_max <= memory / 8 * 3);
    CHECK(settings.answer_bytes_max <= memory / 8);
    CHECK(settings.workers * settings.fetches_in_flight_max * settings.answer_bytes_min <=
          settings.in_flight_bytes_max);
  }
}

TEST_CASE("a continuous backup closes and checkpoints at once, whatever the intervals of others") {
  BackupRequest request{.memory_bytes_max = 256 * mebibyte};
  request.spec.checkpoint = api::Checkpoint{.enabled = false};
  const auto settings = follow_segment_settings(request);
  CHECK(settings.checkpoints);
  CHECK(settings.segment_bytes_max == 64 * mebibyte);
  // A segment and a checkpoint: fewer than two objects in a second, and what waits longest waits for a good
  // second.
  CHECK(settings.prompt_write_interval > std::chrono::milliseconds(500));
  CHECK(2 * settings.prompt_write_interval < std::chrono::milliseconds(1200));
}

TEST_CASE("a continuous backup looks again after spec.pollIntervalMs, with workers for each broker") {
  BackupRequest request{.memory_bytes_max = 128 * mebibyte};
  request.spec.poll_interval_ms = 250;
  auto settings = follow_fetch_settings(request, 3);
  CHECK(settings.follows);
  CHECK(settings.rest_after_little == std::chrono::milliseconds(250));
  CHECK(settings.workers == 2);
  CHECK(settings.threads == 7);
  CHECK(settings.threads * settings.answer_bytes_max <= request.memory_bytes_max / 2);
  CHECK(scheduler_limits(settings).follows);
  CHECK(follow_fetch_settings(request, 0).threads == 3);
  request.spec.kafka_cluster.connection = api::Connection{.connections_per_broker = 2};
  CHECK(follow_fetch_settings(request, 3).workers == 1);
  CHECK(follow_fetch_settings(request, 3).threads == 4);
}

}  // namespace
}  // namespace kb::engine
