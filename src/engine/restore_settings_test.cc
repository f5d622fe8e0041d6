#include "engine/restore_settings.h"

#include <doctest/doctest.h>

namespace kb::engine {
namespace {

TEST_CASE("partitions and connections of a restore are those of the spec") {
  api::KafkaRestoreSpec spec;
  CHECK(produce_settings(spec).workers == 2);
  CHECK(produce_settings(spec).partitions_at_once_max == 512);
  spec.rate_limiting = api::RateLimiting{.max_concurrent_partitions = 20};
  CHECK(produce_settings(spec).partitions_at_once_max == 20);
  spec.kafka_cluster.connection = api::Connection{.connections_per_broker = 2};
  CHECK(produce_settings(spec).workers == 1);
  CHECK(produce_settings(spec).partitions_at_once_max == 20);
  spec.kafka_cluster.connection = {};
  spec.rate_limiting = api::RateLimiting{.max_concurrent_partitions = 1};
  CHECK(produce_settings(spec).workers == 1);
  CHECK(produce_settings(spec).partitions_at_once_max == 1);
}

TEST_CASE("spec.produceTimeoutMs reaches the brokers") {
  CHECK(produce_settings({}).produce_timeout_ms == 30'000);
  api::KafkaRestoreSpec spec;
  spec.produce_timeout_ms = 1234;
  CHECK(produce_settings(spec).produce_timeout_ms == 1234);
}

TEST_CASE("batches are merged up to spec.produceBatchSize, and no larger than the topic takes") {
  api::KafkaRestoreSpec spec;
  spec.produce_batch_size = 17;
  CHECK(rebatch_settings(spec, {}).merged_records_max == 17);
  kafka::TopicConfig topic;
  topic.effective["max.message.bytes"] = "5000";
  CHECK(rebatch_settings(spec, topic).max_message_bytes == 5000);
  CHECK(rebatch_settings(spec, topic).merged_bytes_max == 5000);
}

}  // namespace
}  // namespace kb::engine
