// For tests: what an action throws, as a value.
#pragma once
#include "base/error.h"

namespace kb {

template <class Action>
Error failure_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  return {ErrorKind::internal, "nothing was thrown"};
}

}  // namespace kb
