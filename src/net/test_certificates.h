// Test support: certificates and keys, made on the spot.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/error.h"

namespace kb {

struct TestIdentity {
  std::shared_ptr<X509> certificate;
  std::shared_ptr<EVP_PKEY> key;

  std::string certificate_pem() const {
    return pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate.get()); });
  }
  std::string key_pem(const char* passphrase = nullptr) const {
    return pem([&](BIO* bio) {
      const auto* cipher = passphrase ? EVP_aes_128_cbc() : nullptr;
      return PEM_write_bio_PKCS8PrivateKey(bio, key.get(), cipher, passphrase,
                                           passphrase ? static_cast<int>(std::string(passphrase).size()) : 0,
                                           nullptr, nullptr);
    });
  }

 private:
  static std::string pem(const std::function<int(BIO*)>& write) {
    BIO* bio = BIO_new(BIO_s_mem());
    CHECK(write(bio) == 1);
    char* text = nullptr;
    auto length = BIO_get_mem_data(bio, &text);
    std::string out(text, static_cast<std::size_t>(length));
    BIO_free(bio);
    return out;
  }
};

struct TestRequest {
  std::string name = "broker";
  std::string alternative_names;  // "DNS:localhost,IP:127.0.0.1"
  bool authority = false;
  long begins_s = -3600, ends_s = 3600;  // from now
};

// Signed by `issuer`, or by itself.
inline TestIdentity make_identity(const TestRequest& request, const TestIdentity* issuer = nullptr) {
  TestIdentity made{{X509_new(), X509_free}, {EVP_EC_gen("P-256"), EVP_PKEY_free}};
  auto* x = made.certificate.get();
  static long serial = 1;
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
  X509_gmtime_adj(X509_getm_notBefore(x), request.begins_s);
  X509_gmtime_adj(X509_getm_notAfter(x), request.ends_s);
  X509_set_pubkey(x, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(request.name.c_str()), -1, -1, 0);
  const auto& signer = issuer ? *issuer : made;
  X509_set_issuer_name(x, X509_get_subject_name(signer.certificate.get()));
  auto extend = [&](int id, const std::string& value) {
    auto* extension = X509V3_EXT_conf_nid(nullptr, nullptr, id, value.c_str());
    CHECK(extension != nullptr && X509_add_ext(x, extension, -1) == 1);
    X509_EXTENSION_free(extension);
  };
  extend(NID_basic_constraints, request.authority ? "critical,CA:TRUE" : "CA:FALSE");
  if (!request.alternative_names.empty()) extend(NID_subject_alt_name, request.alternative_names);
  CHECK(X509_sign(x, signer.key.get(), EVP_sha256()) > 0);
  return made;
}

}  // namespace kb
