// Whatever the bytes are: either an Error(invalid) or resources.
#include <cstdint>

#include "api/not_yet.h"
#include "api/resource.h"
#include "base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kb;
  try {
    for (const auto& resource :
         api::parse_resources({reinterpret_cast<const char*>(data), size}, "fuzz.yaml"))
      api::engine_support(resource);
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::invalid);
  }
  return 0;
}
