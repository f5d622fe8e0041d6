// Writes docs/reference/metrics.md to standard output.
#include <cstdio>

#include "operator/metrics.h"

int main() {
  return std::fputs(kb::op::metrics_page().c_str(), stdout) < 0;
}
