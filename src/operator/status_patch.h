// The JSON merge patch (RFC 7396) that turns one value into another. Pure.
#pragma once
#include <optional>

#include <boost/json/value.hpp>

namespace kb::op {

// Nothing when they are equal. Lists are replaced as a whole; a member that is null in `after` is the same as
// absent.
std::optional<boost::json::value> merge_patch_between(const boost::json::value& before,
                                                      const boost::json::value& after);

}  // namespace kb::op
