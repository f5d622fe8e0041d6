// A listener that is spoken to in the wrong security protocol closes the connection without a word, as a
// broker does that is being stopped. This finds out which it was.
#pragma once
#include <optional>

#include "kafka/connection.h"

namespace kb::kafka {

// Tries the other protocols, on connections of its own and without credentials. What is wrong: invalid,
// naming the endpoint; nothing when no other protocol is answered either. Throws cancelled only.
std::optional<Error> security_mismatch(const Context& ctx, const Endpoint& endpoint,
                                       const ConnectionSettings& settings);

}  // namespace kb::kafka
