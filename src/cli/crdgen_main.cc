// crdgen: prints the CustomResourceDefinitions of all kinds; deploy/crds/all.yaml is its output.
#include <cstdio>
#include <exception>
#include <string>

#include "api/crd.h"

int main(int argc, char**) try {
  if (argc > 1) {
    std::fputs("usage: crdgen > deploy/crds/all.yaml\n", stderr);
    return 64;
  }
  const std::string text = kb::api::crds_yaml();
  const bool written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (!written) std::fputs("crdgen: cannot write to standard output\n", stderr);
  return written ? 0 : 77;
} catch (const std::exception& e) {
  std::fprintf(stderr, "crdgen: %s\n", e.what());
  return 70;
}
