// Secrets as files: key k of Secret s is DIR/s/k, which is how Kubernetes mounts them and what --secrets-dir
// names. Read anew at each use, so that what was rotated counts
// (https://kubernetes.io/docs/concepts/configuration/secret/#mounted-secrets-are-updated-automatically).
#pragma once
#include <optional>
#include <string>

namespace kb {

struct SecretKey {
  std::string secret,
      key;            // parts of a path; whoever takes them from outside checks that (api/name_checks.h)
  std::string field;  // of the resource that names the key, for texts: "spec.kafkaCluster.caSecret.caKey"
};

// Immutable value, thread-safe. What is in a file never gets into the text of an error.
class SecretFiles {
 public:
  static constexpr std::size_t bytes_max = 1024 * 1024;  // of a whole Secret in Kubernetes

  SecretFiles() = default;  // there are none
  explicit SecretFiles(std::string folder) : folder_(std::move(folder)) {}

  // For what reads files itself; nothing is checked.
  std::string path(const SecretKey& key) const;
  // The whole file. Throws not_found when it is missing, invalid when it is empty or too large, naming file
  // and field.
  std::string read(const SecretKey& key) const;
  // A user name or a password: without the line end that editors put behind it.
  std::string read_word(const SecretKey& key) const;
  // Only a missing file is no value; everything else is as above.
  std::optional<std::string> read_if_there(const SecretKey& key) const;
  std::optional<std::string> read_word_if_there(const SecretKey& key) const;

 private:
  std::string folder_;
};

}  // namespace kb
