// From the spec of a KafkaBackup to the settings of those who do its work. Pure.
#pragma once
#include "engine/backup.h"
#include "engine/block_builder.h"
#include "engine/fetcher.h"
#include "engine/segment_writer.h"

namespace kb::engine {

BlockSettings block_settings(const api::KafkaBackupSpec& spec);
SegmentSettings segment_settings(const BackupRequest& request);
FetchSettings fetch_settings(const BackupRequest& request);

}  // namespace kb::engine
