#include "kube/lease.h"

namespace kb::kube {

std::string LeaderOnlyApi::send(const Context& ctx, const Request& request) {
  if (request.method != "GET" && !election_.may_write())
    fail(ErrorKind::conflict, "{} {}: this process does not lead any more", request.method, request.path);
  return inner_.send(ctx, request);
}

void LeaderOnlyApi::stream(const Context& ctx, const Request& request,
                           const std::function<void(std::string_view)>& line) {
  inner_.stream(ctx, request, line);
}

}  // namespace kb::kube
