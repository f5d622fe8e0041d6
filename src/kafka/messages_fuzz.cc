// Any bytes as any answer: they are decoded to a message that can be encoded and decoded again, or refused as
// corrupt. Input: which message, which version, the bytes.
#include <cstdlib>

#include "kafka/layout.h"
#include "kafka/messages.h"

namespace {
using namespace kb::kafka;

template <class M>
void check(std::string_view bytes, std::size_t pick) {
  const auto versions = static_cast<std::size_t>(M::api.max_version - M::api.min_version + 1);
  const auto version = static_cast<int16_t>(M::api.min_version + static_cast<int16_t>(pick % versions));
  try {
    const M message = decode<M>(bytes, version);
    const std::string encoded = encode(message, version).str();
    CHECK(encode(decode<M>(encoded, version), version).str() == encoded);
  } catch (const kb::Error& error) {
    CHECK(error.kind() == kb::ErrorKind::corrupt);
  }
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  std::size_t index = 0;
  AllRequests::for_each([&]<class Request>() {
    if (data[0] == index++) check<typename Request::Response>(bytes, data[1]);
  });
  return 0;
}
