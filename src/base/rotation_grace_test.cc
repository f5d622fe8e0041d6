#include "base/rotation_grace.h"

#include <doctest/doctest.h>

namespace kb {
namespace {

TEST_CASE("a secret that never worked is wrong; one that worked gets time to be rotated") {
  RotationGrace grace;
  const auto start = Clock::now();
  const auto moment = std::chrono::milliseconds(1);
  CHECK_EQ(grace.refused(start), ErrorKind::denied);
  grace.accepted();
  CHECK_EQ(grace.refused(start), ErrorKind::unavailable);
  CHECK_EQ(grace.refused(start + RotationGrace::length - moment), ErrorKind::unavailable);
  CHECK_EQ(grace.refused(start + RotationGrace::length), ErrorKind::denied);
  grace.accepted();
  CHECK_EQ(grace.refused(start + RotationGrace::length), ErrorKind::unavailable);
}

}  // namespace
}  // namespace kb
