// What the server says went wrong: a Status object
// (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/). Pure.
#pragma once
#include <string_view>

#include "base/error.h"

namespace kb::kube {

// See Api::send.
ErrorKind kind_of_status(int http_status);
// `doing` is "GET /api/v1/pods"; the text has the Status's message, or the beginning of a body that is none.
Error error_of(std::string_view doing, int http_status, std::string_view body);

}  // namespace kb::kube
