#include "schema/yaml_writer.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <boost/json/serialize.hpp>
#include <yaml.h>

#include "base/error.h"
#include "schema/yaml_scalar.h"

namespace kb::schema {
namespace {

namespace json = boost::json;

// Words that are strings in YAML 1.2 and booleans in 1.1, which Kubernetes' tools still read.
bool is_boolean_of_yaml_1_1(std::string word) {
  constexpr std::array<std::string_view, 6> words{"y", "n", "yes", "no", "on", "off"};
  std::ranges::transform(word, word.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::ranges::find(words, word) != words.end();
}

bool reads_as_string(std::string_view text) {
  std::string problem;
  auto value = resolve_scalar({.text = text, .tag = {}, .plain = true}, problem);
  return value && value->is_string() && !is_boolean_of_yaml_1_1(std::string(text));
}

class Emitter {
 public:
  explicit Emitter(std::string& out) {
    if (!yaml_emitter_initialize(&emitter_)) throw std::bad_alloc();
    yaml_emitter_set_output(&emitter_, append, &out);
    yaml_emitter_set_width(&emitter_, -1);
    yaml_emitter_set_unicode(&emitter_, 1);
  }
  ~Emitter() { yaml_emitter_delete(&emitter_); }
  Emitter(const Emitter&) = delete;
  Emitter& operator=(const Emitter&) = delete;

  void document(const json::value& value) {
    yaml_event_t event;
    emit(event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
    emit(event, yaml_document_start_event_initialize(&event, nullptr, nullptr, nullptr, 0));
    node(value);
    emit(event, yaml_document_end_event_initialize(&event, 1));
    emit(event, yaml_stream_end_event_initialize(&event));
  }

 private:
  static int append(void* out, unsigned char* bytes, std::size_t size) {
    static_cast<std::string*>(out)->append(reinterpret_cast<const char*>(bytes), size);
    return 1;
  }
  void emit(yaml_event_t& event, int made) {
    if (!made || !yaml_emitter_emit(&emitter_, &event))
      fail(ErrorKind::internal, "libyaml: {}", emitter_.problem ? emitter_.problem : "out of memory");
  }
  void scalar(std::string_view text, bool plain) {
    yaml_event_t event;
    emit(event, yaml_scalar_event_initialize(
                    &event, nullptr, nullptr, reinterpret_cast<yaml_char_t*>(const_cast<char*>(text.data())),
                    static_cast<int>(text.size()), plain, 1,
                    plain ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE));
  }
  void node(const json::value& value) {
    yaml_event_t event;
    if (value.is_object()) {
      auto style = value.get_object().empty() ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE;
      emit(event, yaml_mapping_start_event_initialize(&event, nullptr, nullptr, 1, style));
      for (const auto& [key, member] : value.get_object()) {
        scalar(key, reads_as_string(key));
        node(member);
      }
      emit(event, yaml_mapping_end_event_initialize(&event));
    } else if (value.is_array()) {
      auto style = value.get_array().empty() ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE;
      emit(event, yaml_sequence_start_event_initialize(&event, nullptr, nullptr, 1, style));
      for (const auto& item : value.get_array()) node(item);
      emit(event, yaml_sequence_end_event_initialize(&event));
    } else if (value.is_string()) {
      std::string_view text = value.get_string();
      scalar(text, reads_as_string(text));
    } else {
      scalar(json::serialize(value), true);
    }
  }

  yaml_emitter_t emitter_{};
};

}  // namespace

std::string to_yaml(const json::value& value) {
  std::string out;
  {
    Emitter emitter(out);
    emitter.document(value);
  }
  return out.starts_with("---") ? out : "---\n" + out;
}

}  // namespace kb::schema
