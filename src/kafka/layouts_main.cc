// kafka_layouts: prints the layout of every version of every message that we speak, for
// tests/kafka_layouts.py.
#include <fmt/format.h>

#include "kafka/layout.h"
#include "kafka/messages.h"

namespace {
template <class M>
void print(std::string_view kind) {
  for (int16_t version = M::api.min_version; version <= M::api.max_version; ++version)
    fmt::print("{}\n", kb::kafka::layout_line<M>(kind, version));
}
}  // namespace

int main() {
  print<kb::kafka::RequestHeader>("");
  print<kb::kafka::ResponseHeader>("");
  kb::kafka::AllRequests::for_each([]<class Request>() {
    print<Request>("Request");
    print<typename Request::Response>("Response");
  });
}
