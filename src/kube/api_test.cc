#include "kube/api.h"

#include "kube/status_error.h"

#include <doctest/doctest.h>

namespace kb::kube {
namespace {

TEST_CASE("paths") {
  CHECK_EQ(path_of(jobs, "kafka", "x", "status"), "/apis/batch/v1/namespaces/kafka/jobs/x/status");
  CHECK_EQ(path_of(jobs, ""), "/apis/batch/v1/jobs");
  CHECK_EQ(path_of(pods, "a"), "/api/v1/namespaces/a/pods");
  CHECK_EQ(path_of(namespaces, "ignored", "a"), "/api/v1/namespaces/a");
  CHECK_EQ(path_of(pods, "a", "../secrets/x"), "/api/v1/namespaces/a/pods/..%2Fsecrets%2Fx");
}

TEST_CASE("queries") {
  CHECK_EQ(query_of({}), "");
  CHECK_EQ(query_of({{"labelSelector", "a/b=c,d!=e f"}, {"limit", "500"}}),
           "labelSelector=a%2Fb%3Dc%2Cd%21%3De%20f&limit=500");
  CHECK_EQ(query_of({{"x", "\xC3\xA4-._~"}}), "x=%C3%A4-._~");
}

TEST_CASE("members of objects") {
  auto object = json::value{{"metadata", {{"uid", "u"}, {"none", nullptr}, {"count", 3}}}, {"list", {1, 2}}};
  REQUIRE(find(object, "metadata.uid"));
  CHECK_EQ(*find(object, "metadata.uid"), "u");
  CHECK_EQ(text_at(object, "metadata.uid"), "u");
  CHECK_EQ(find(object, "metadata.none"), nullptr);
  CHECK_EQ(find(object, "metadata.uid.more"), nullptr);
  CHECK_EQ(find(object, "list.0"), nullptr);
  CHECK_EQ(find(object, ""), &object);
  CHECK_EQ(text_at(object, "metadata.count"), "");
  CHECK_EQ(text_at(json::value("text"), "a.b"), "");
  CHECK_EQ(integer_at(object, "metadata.count"), 3);
  CHECK_EQ(integer_at(object, "metadata.uid", -1), -1);
}

TEST_CASE("what the server refuses") {
  const std::pair<int, ErrorKind> kinds[] = {
      {400, ErrorKind::invalid},     {401, ErrorKind::denied},      {403, ErrorKind::denied},
      {404, ErrorKind::not_found},   {408, ErrorKind::timed_out},   {409, ErrorKind::conflict},
      {410, ErrorKind::not_found},   {422, ErrorKind::invalid},     {429, ErrorKind::throttled},
      {500, ErrorKind::unavailable}, {503, ErrorKind::unavailable}, {302, ErrorKind::invalid}};
  for (auto [status, kind] : kinds) CHECK_EQ(kind_of_status(status), kind);
  auto said = error_of("GET /x", 404, R"({"kind":"Status","message":"pods \"x\" not found."})");
  CHECK_EQ(std::string(said.what()), "GET /x: 404 pods \"x\" not found");
  auto foreign = error_of("GET /x", 502, "<html>" + std::string(1000, 'x'));
  CHECK(std::string(foreign.what()).starts_with("GET /x: 502 <html>"));
  CHECK_LT(std::string(foreign.what()).size(), 300);
}

}  // namespace
}  // namespace kb::kube
