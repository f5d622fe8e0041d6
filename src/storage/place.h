// Where the directory of an archive is, and how much of the way to it is trusted. Pure.
#pragma once
#include <string>
#include <string_view>

namespace kb::storage {

// `trusted` is what whoever runs the program, or mounts the volume, has named: links in it are followed. What
// is `below` it may have been made by whoever can write to the volume: it is walked without following one.
struct Place {
  // All of it is trusted. Implicit: a path that is given as such is one that the user has named.
  Place(std::string path) : trusted(std::move(path)) {}
  Place(const char* path) : trusted(path) {}
  // Empty parts and "." are dropped; throws invalid at "..".
  Place(std::string trusted_path, std::string_view below_it);

  std::string path() const;
  bool operator==(const Place&) const = default;

  std::string trusted;
  std::string below;  // "a/b"; "" for `trusted` itself
};

}  // namespace kb::storage
