// From the spec of a KafkaBackup to the settings of those who do its work. Pure.
#pragma once
#include "engine/backup.h"
#include "engine/block_builder.h"
#include "engine/fetcher.h"
#include "engine/segment_writer.h"

namespace kb::engine {

BlockSettings block_settings(const api::KafkaBackupSpec& spec);
SegmentSettings segment_settings(const BackupRequest& request);
// `brokers` is how many there are now.
FetchSettings fetch_settings(const BackupRequest& request, std::size_t brokers);

// Of a continuous backup. What is read is durable a second or so later, for two objects written: a segment
// and a checkpoint, so that there are at most two of them in a second.
SegmentSettings follow_segment_settings(const BackupRequest& request);
FetchSettings follow_fetch_settings(const BackupRequest& request, std::size_t brokers);

}  // namespace kb::engine
