// The generated pages of docs/reference. Program apidoc writes them, a unit test compares them with what is
// checked in. Pure.
#pragma once
#include <string>
#include <vector>

namespace kb::api {

struct ReferencePage {
  std::string file_name;  // kafkabackup.md
  std::string text;
};
std::vector<ReferencePage> reference_pages();

}  // namespace kb::api
