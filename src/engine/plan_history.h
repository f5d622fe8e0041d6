// What is new in a plan compared with the set that it builds on. Pure.
#pragma once
#include "archive/set.h"

namespace kb::engine {

// `base` is null for the first backup of an archive: everything is new then, and nothing is said.
archive::History planned_history(const archive::Capture& plan, const archive::Capture* base);

}  // namespace kb::engine
