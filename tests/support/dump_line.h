// One record as one line of text, the same as java/Dump.java writes:
//   R <topic> <partition> <offset or -> <C|L|-> <timestamp ms> <key> <value> <headers>      (separated by
//   tabs)
// Bytes are `-` for null, else length:hex, where the hex is the bytes themselves up to 16 of them and the
// first 16 bytes of their SHA-256 beyond. Headers are key=value in order, joined by `;`.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include <librdkafka/rdkafka.h>
#include <openssl/evp.h>

namespace tool {

// SHA-256 over what was added; reusable. Belongs to one thread.
class Sha256 {
 public:
  Sha256();
  void add(std::string_view bytes);
  // The first 16 bytes; starts anew.
  std::string finish();

 private:
  std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> algorithm_;
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

std::string hex(std::string_view bytes);

// Appends the line with its line feed. `offset` false writes `-` in its place.
class LineWriter {
 public:
  void append(std::string& out, const rd_kafka_message_t& message, std::string_view topic, bool offset);

 private:
  void append_bytes(std::string& out, const void* bytes, std::size_t size);
  void append_headers(std::string& out, const rd_kafka_message_t& message);

  Sha256 sha256_;
};

}  // namespace tool
