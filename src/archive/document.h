// The envelope of every object but segments: one line that names the object and carries the SHA-256 of the
// rest, one line of JSON, and for some kinds binary bytes behind it (docs/archive-format.md, "Documents").
#pragma once
#include <string>
#include <string_view>

#include <boost/json.hpp>

namespace kb::archive {

struct Document {
  boost::json::object head;
  std::string payload;
};

// `kind` is one word; `key` the object's own name.
std::string seal(std::string_view kind, std::string_view key, const Document& document);
// Throws corrupt, naming the object, when it is damaged, another object, or of another kind; invalid when it
// was written by a newer format.
Document unseal(std::string_view kind, std::string_view key, std::string_view bytes);

}  // namespace kb::archive
