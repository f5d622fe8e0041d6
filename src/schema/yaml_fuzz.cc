// Whatever the bytes are: either an Error(invalid) or values that can be written as JSON and read again. (Not
// compared: Boost.JSON 1.81 may read a double one bit off.)
#include <cstdint>

#include "base/error.h"
#include "schema/schema.h"
#include "schema/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kb;
  try {
    auto documents = schema::parse_yaml({reinterpret_cast<const char*>(data), size}, "fuzz.yaml");
    for (const auto& document : documents)
      schema::parse_json(schema::serialize(document.value), "fuzz", ErrorKind::internal);
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::invalid);
  }
  return 0;
}
