// The vectors of RFC 5802 are for SHA-1; those of RFC 7677 section 3 are SHA-256's. SHA-512's were computed
// with Python's hashlib and hmac from the same inputs.
#include "kafka/scram.h"

#include "base/error.h"
#include "base/failure_of.h"

#include <doctest/doctest.h>

namespace kb::kafka {
namespace {

constexpr auto server_first =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

ScramClient client(ScramHash hash, std::string username = "user", std::string password = "pencil") {
  return {hash, std::move(username), std::move(password), "rOprNGfwEbeRWgbNEkqO"};
}

TEST_CASE("SCRAM-SHA-256 as in RFC 7677") {
  auto scram = client(ScramHash::sha_256);
  CHECK_EQ(scram.first_message(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
  CHECK_EQ(scram.final_message(server_first),
           "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
           "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
  scram.check_server("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

TEST_CASE("SCRAM-SHA-512 of the same login") {
  auto scram = client(ScramHash::sha_512);
  CHECK_EQ(scram.final_message(server_first),
           "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=gMGXRcevScNtxZ6/"
           "8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==");
  scram.check_server(
      "v=ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw==");
}

TEST_CASE("names are escaped, and other than ASCII goes as UTF-8") {
  CHECK_EQ(client(ScramHash::sha_256, "a=b,c").first_message(), "n,,n=a=3Db=2Cc,r=rOprNGfwEbeRWgbNEkqO");
  auto scram = client(ScramHash::sha_256, "müller", "geheim€");
  CHECK_EQ(scram.first_message(), "n,,n=müller,r=rOprNGfwEbeRWgbNEkqO");
  CHECK_EQ(scram.final_message(server_first),
           "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=sGVwSJnCeAwuTM/"
           "VbqgMRJ8HIgD2d7EnOEe6Izn5DCs=");
}

TEST_CASE("a broker that does not know the password is found out") {
  auto scram = client(ScramHash::sha_256);
  scram.final_message(server_first);
  for (const char* answer : {"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G8=", "v=", "v=AAAA", "x=1", "", "v",
                             "e=invalid-proof"}) {
    CAPTURE(answer);
    auto error = failure_of([&] { scram.check_server(answer); });
    CHECK_EQ(error.kind(), ErrorKind::denied);
    CHECK(std::string(error.what()).find("pencil") == std::string::npos);
  }
  CHECK(
      std::string(failure_of([&] { scram.check_server("e=invalid-proof"); }).what()).find("invalid-proof") !=
      std::string::npos);
  CHECK_EQ(failure_of([] { client(ScramHash::sha_256).check_server("v="); }).kind(), ErrorKind::denied);
}

TEST_CASE("a first answer that cannot be the broker's is refused") {
  for (const char* answer :
       {"", "r", "r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "r=rOprNGfwEbeRWgbNEkqOx,s=,i=4096",
        "r=rOprNGfwEbeRWgbNEkqOx,s=!!!!,i=4096", "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095",
        "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=99999999999",
        "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096x",
        "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==",
        "m=new,r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"}) {
    CAPTURE(answer);
    CHECK_EQ(failure_of([&] { client(ScramHash::sha_256).final_message(answer); }).kind(), ErrorKind::denied);
  }
}

TEST_CASE("each login has a nonce of its own") {
  auto one = scram_nonce();
  CHECK_EQ(one.size(), 32);
  CHECK(one.find(',') == std::string::npos);
  CHECK(one != scram_nonce());
}

}  // namespace
}  // namespace kb::kafka
