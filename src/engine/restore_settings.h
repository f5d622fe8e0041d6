// From the spec of a KafkaRestore to the settings of those who do its work. Pure.
#pragma once
#include "api/kafka_restore.h"
#include "engine/produce_worker.h"
#include "kafka/admin.h"
#include "kafka/rebatch.h"

namespace kb::engine {

ProduceSettings produce_settings(const api::KafkaRestoreSpec& spec);

// For the partitions of a target topic that has these settings.
kafka::RebatchSettings rebatch_settings(const api::KafkaRestoreSpec& spec, const kafka::TopicConfig& target);

}  // namespace kb::engine
