#include "kafka/scram.h"

#include <charconv>
#include <map>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/base64.h"
#include "base/error.h"

namespace kb::kafka {
namespace {

constexpr int iterations_min = 4096;  // RFC 7677 section 4
constexpr int iterations_max = 10'000'000;
constexpr std::string_view no_channel_binding = "n,,";

const unsigned char* octets(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* octets(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

// Empty for what is no base64.
std::string from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return {};
  std::string bytes(text.size() / 4 * 3, '\0');
  if (EVP_DecodeBlock(octets(bytes), octets(text), static_cast<int>(text.size())) < 0) return {};
  bytes.resize(bytes.size() - (text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0));
  return bytes;
}

const EVP_MD* digest_of(ScramHash hash) {
  return hash == ScramHash::sha_256 ? EVP_sha256() : EVP_sha512();
}

std::string hmac(ScramHash hash, std::string_view key, std::string_view message) {
  std::string out(static_cast<std::size_t>(EVP_MD_get_size(digest_of(hash))), '\0');
  CHECK(HMAC(digest_of(hash), key.data(), static_cast<int>(key.size()), octets(message), message.size(),
             octets(out), nullptr) != nullptr);
  return out;
}

std::string digest(ScramHash hash, std::string_view message) {
  std::string out(static_cast<std::size_t>(EVP_MD_get_size(digest_of(hash))), '\0');
  CHECK(EVP_Digest(message.data(), message.size(), octets(out), nullptr, digest_of(hash), nullptr) == 1);
  return out;
}

std::string salted(ScramHash hash, std::string_view password, std::string_view salt, int iterations) {
  std::string out(static_cast<std::size_t>(EVP_MD_get_size(digest_of(hash))), '\0');
  CHECK(PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), octets(salt),
                          static_cast<int>(salt.size()), iterations, digest_of(hash),
                          static_cast<int>(out.size()), octets(out)) == 1);
  return out;
}

// RFC 5802 section 5.1: a name may have neither.
std::string saslname(std::string_view name) {
  std::string out;
  for (char c : name) {
    if (c == '=')
      out += "=3D";
    else if (c == ',')
      out += "=2C";
    else
      out += c;
  }
  return out;
}

// "r=...,s=...,i=..." by letter; a mandatory extension (m=) is there under its letter, too.
std::map<char, std::string_view> attributes(std::string_view message) {
  std::map<char, std::string_view> out;
  for (;;) {
    auto end = message.find(',');
    auto each = message.substr(0, end);
    if (each.size() < 2 || each[1] != '=') fail(ErrorKind::denied, "the broker's answer is no SCRAM message");
    out[each[0]] = each.substr(2);
    if (end == std::string_view::npos) return out;
    message.remove_prefix(end + 1);
  }
}

int iterations_of(std::string_view text) {
  int iterations = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), iterations);
  if (error != std::errc() || end != text.data() + text.size() || iterations < iterations_min ||
      iterations > iterations_max)
    fail(ErrorKind::denied, "the broker asks for '{}' iterations; {} to {} make sense", text.substr(0, 20),
         iterations_min, iterations_max);
  return iterations;
}

}  // namespace

std::string scram_nonce() {
  std::string bytes(24, '\0');
  CHECK(RAND_bytes(octets(bytes), static_cast<int>(bytes.size())) == 1);
  return to_base64(bytes);  // which has no comma
}

ScramClient::ScramClient(ScramHash hash, std::string username, std::string password, std::string nonce)
    : hash_(hash), username_(std::move(username)), password_(std::move(password)), nonce_(std::move(nonce)) {}

std::string ScramClient::client_first_bare() const {
  return fmt::format("n={},r={}", saslname(username_), nonce_);
}

std::string ScramClient::first_message() const {
  return fmt::format("{}{}", no_channel_binding, client_first_bare());
}

std::string ScramClient::final_message(std::string_view server_first) {
  auto given = attributes(server_first);
  if (given.contains('e')) fail(ErrorKind::denied, "the broker refuses: {}", given['e'].substr(0, 100));
  if (given.contains('m')) fail(ErrorKind::denied, "the broker wants an extension of SCRAM");
  const auto nonce = given['r'];
  const auto salt = from_base64(given['s']);
  if (!nonce.starts_with(nonce_) || nonce.size() == nonce_.size() || salt.empty())
    fail(ErrorKind::denied, "the broker's answer is not to this login");
  const auto salted_password = salted(hash_, password_, salt, iterations_of(given['i']));
  const auto without_proof = fmt::format("c={},r={}", to_base64(no_channel_binding), nonce);
  const auto auth_message = fmt::format("{},{},{}", client_first_bare(), server_first, without_proof);
  const auto client_key = hmac(hash_, salted_password, "Client Key");
  auto proof = hmac(hash_, digest(hash_, client_key), auth_message);
  for (std::size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<char>(proof[i] ^ client_key[i]);
  server_signature_ = hmac(hash_, hmac(hash_, salted_password, "Server Key"), auth_message);
  return fmt::format("{},p={}", without_proof, to_base64(proof));
}

void ScramClient::check_server(std::string_view server_final) const {
  auto given = attributes(server_final);
  if (given.contains('e')) fail(ErrorKind::denied, "the broker refuses: {}", given['e'].substr(0, 100));
  const auto signature = from_base64(given['v']);
  if (server_signature_.empty() || signature.size() != server_signature_.size() ||
      CRYPTO_memcmp(signature.data(), server_signature_.data(), signature.size()) != 0)
    throw Error(ErrorKind::denied, "the broker does not prove that it knows the password",
                "who answers may not be the broker: use SASL_SSL");
}

}  // namespace kb::kafka
