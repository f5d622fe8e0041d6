// Configuration that comes in files.
#pragma once
#include <string>

namespace kb::kube {

// Throws not_found, or invalid when it has more than a megabyte. Thread-safe.
std::string read_small_file(const std::string& path);

}  // namespace kb::kube
