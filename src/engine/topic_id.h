// Topic ids as documents of the archive have them: 32 hexadecimal digits, zeros when the broker has none.
#pragma once
#include <string>
#include <string_view>

#include "kafka/codec.h"

namespace kb::engine {

std::string to_hex(const kafka::Uuid& id);
// Zeros for anything that is not an id.
kafka::Uuid topic_id_of(std::string_view hex);

}  // namespace kb::engine
