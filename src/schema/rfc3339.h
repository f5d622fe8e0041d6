// Times as in RFC 3339 section 5.6, which is what Kubernetes calls date-time.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "schema/field.h"

namespace kb::schema {

// Any offset is accepted and becomes UTC; digits beyond the microsecond are cut off; a leap second counts as
// the second after it. Empty for anything else.
std::optional<Timestamp> parse_rfc3339(std::string_view text);
// UTC with Z; with 3 or 6 digits of fraction when there is one: 2025-12-10T12:00:00Z,
// 2025-12-10T12:00:00.250Z
std::string format_rfc3339(Timestamp time);
// The problem text for what parse_rfc3339 refused, with an example of what is wanted.
std::string not_rfc3339(std::string_view text);

}  // namespace kb::schema
