// apidoc DIRECTORY: writes the generated pages of docs/reference.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>

#include "api/reference_doc.h"
#include "base/error.h"

int main(int argc, char** argv) try {
  using namespace kb;
  if (argc != 2) fail(ErrorKind::invalid, "usage: apidoc DIRECTORY");
  std::filesystem::path directory = argv[1];
  std::filesystem::create_directories(directory);
  for (const api::ReferencePage& page : api::reference_pages()) {
    std::ofstream out(directory / page.file_name, std::ios::binary);
    if (!(out << page.text).flush())
      fail(ErrorKind::denied, "cannot write {}", (directory / page.file_name).string());
  }
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "apidoc: %s\n", e.what());
  return 1;
}
