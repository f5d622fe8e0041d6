// Names as Kafka and Kubernetes allow them. Whatever becomes a path or an object key passes through here
// first. Pure and thread-safe.
#pragma once
#include <string_view>

namespace kb::api {

// Letters, digits, '.', '_' and '-', at most 249 of them, neither "." nor ".."
// (org.apache.kafka.common.internals.Topic).
bool is_topic_name(std::string_view text);
// A topic name in which `*` stands for any run of characters and `?` for any one.
bool is_topic_pattern(std::string_view text);
// Whether the text has a `*` or `?`, else it is one literal topic.
bool is_glob(std::string_view text);
bool topic_matches(std::string_view pattern, std::string_view topic);

// RFC 1123 subdomain: names of most objects (claims, secrets, our resources).
bool is_object_name(std::string_view text);
// RFC 1123 label: names of namespaces.
bool is_namespace_name(std::string_view text);
// Keys of a Secret: letters, digits, '.', '_' and '-', not "." and not starting with "..".
bool is_secret_key(std::string_view text);
// Names of the runs of a backup: letters, digits, '.', '_' and '-', at most 300, not starting with '.'.
bool is_backup_id(std::string_view text);
// A relative path that stays below where it starts: no "..", not absolute, no control characters, at most
// 1024 bytes.
bool is_confined_path(std::string_view text);
// "host:port", "1.2.3.4:port" or "[::1]:port" with a port from 1 to 65535.
bool is_host_and_port(std::string_view text);

}  // namespace kb::api
