// Small blocks of a stream that follow each other become one: a run that is followed reads a little at a
// time, and each block costs an entry in the index and a compression of its own. Pure.
#pragma once
#include <vector>

#include "archive/segment.h"
#include "engine/block_builder.h"

namespace kb::engine {

// The blocks are stored as they are. Afterwards they are ordered by stream and offset, of about
// settings.block_bytes_target, and encoded as the settings say, as build_blocks() would have.
void merge_blocks(std::vector<archive::PendingBlock>& blocks, const BlockSettings& settings);

}  // namespace kb::engine
