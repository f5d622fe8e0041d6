// clidoc FILE: writes docs/reference/cli.md.
#include <cstdio>
#include <exception>
#include <fstream>

#include "base/error.h"
#include "cli/arguments.h"

int main(int argc, char** argv) try {
  using namespace kb;
  if (argc != 2) fail(ErrorKind::invalid, "usage: clidoc FILE");
  std::ofstream out(argv[1], std::ios::binary);
  if (!(out << cli::reference_page()).flush()) fail(ErrorKind::denied, "cannot write {}", argv[1]);
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "clidoc: %s\n", e.what());
  return 1;
}
