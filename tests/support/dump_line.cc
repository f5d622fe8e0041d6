#include "dump_line.h"

#include <array>
#include <stdexcept>

#include <fmt/core.h>

namespace tool {
namespace {
constexpr std::size_t literal_max = 16;
constexpr std::string_view hex_digits = "0123456789abcdef";

void append_hex(std::string& out, std::string_view bytes) {
  for (char c : bytes) {
    auto byte = static_cast<unsigned char>(c);
    out += hex_digits[byte >> 4];
    out += hex_digits[byte & 15];
  }
}

char timestamp_type(rd_kafka_timestamp_type_t type) {
  if (type == RD_KAFKA_TIMESTAMP_CREATE_TIME) return 'C';
  return type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME ? 'L' : '-';
}
}  // namespace

Sha256::Sha256()
    : algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr), EVP_MD_free),
      context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
  if (!algorithm_ || !context_) throw std::runtime_error("OpenSSL has no SHA-256");
  EVP_DigestInit_ex(context_.get(), algorithm_.get(), nullptr);
}

void Sha256::add(std::string_view bytes) {
  EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
}

std::string Sha256::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr);
  EVP_DigestInit_ex(context_.get(), algorithm_.get(), nullptr);
  return {reinterpret_cast<const char*>(digest.data()), literal_max};
}

std::string hex(std::string_view bytes) {
  std::string out;
  append_hex(out, bytes);
  return out;
}

void LineWriter::append_bytes(std::string& out, const void* bytes, std::size_t size) {
  if (bytes == nullptr) {
    out += '-';
    return;
  }
  std::string_view view(static_cast<const char*>(bytes), size);
  fmt::format_to(std::back_inserter(out), "{}:", size);
  if (size <= literal_max) return append_hex(out, view);
  sha256_.add(view);
  append_hex(out, sha256_.finish());
}

void LineWriter::append_headers(std::string& out, const rd_kafka_message_t& message) {
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
    if (i > 0) out += ';';
    append_bytes(out, name,
                 std::string_view(name).size());  // a NUL ends a name here; Dump.java sees all of it
    out += '=';
    append_bytes(out, value, size);
  }
}

void LineWriter::append(std::string& out, const rd_kafka_message_t& message, std::string_view topic,
                        bool offset) {
  rd_kafka_timestamp_type_t type;
  auto timestamp = rd_kafka_message_timestamp(&message, &type);
  std::string at = offset ? std::to_string(message.offset) : "-";
  fmt::format_to(std::back_inserter(out), "R\t{}\t{}\t{}\t{}\t{}\t", topic, message.partition, at,
                 timestamp_type(type), timestamp);
  append_bytes(out, message.key, message.key_len);
  out += '\t';
  append_bytes(out, message.payload, message.len);
  out += '\t';
  append_headers(out, message);
  out += '\n';
}

}  // namespace tool
