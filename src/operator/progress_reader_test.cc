#include "operator/progress_reader.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "net/http_server.h"

#include <doctest/doctest.h>

namespace kb::op {
namespace {

PodView pod_at(const std::string& ip) {
  return {.name = "worker", .job = "j", .ip = ip, .running = true, .waiting = {}, .report = {}};
}

// Serves `body` where a worker would.
std::optional<api::WorkProgress> answer_to(const HttpPage& page) {
  HttpServer server({"127.0.0.7", api::worker_progress_port}, [&](std::string_view) { return page; });
  return ProgressReader().read({}, {pod_at("127.0.0.7")});
}

TEST_CASE("what a worker says is read; what is no such answer is not") {
  auto good = answer_to({.body = R"({"recordsDone":5,"recordsTotal":10,"new":1})"});
  REQUIRE(good);
  CHECK(good->records_done == 5);
  for (const auto& body :
       {std::string("nonsense"), std::string("[]"), std::string(R"({"recordsDone":-1})"),
        std::string(R"({"recordsDone":1e300})"), std::string(500, '['), std::string(10U << 20, ' ')}) {
    CAPTURE(body.substr(0, 20));
    CHECK_FALSE(answer_to({.body = body}));
  }
  CHECK_FALSE(answer_to({.status = 302, .body = R"({"recordsDone":5})"}));
}

TEST_CASE("a worker that does not answer is waited for once, and then not for a while") {
  Fd socket(::socket(AF_INET, SOCK_STREAM, 0));  // takes connections and says nothing
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(api::worker_progress_port);
  ::inet_pton(AF_INET, "127.0.0.8", &address.sin_addr);
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(socket.get(), 8) == 0);
  ProgressReader reader;
  const std::vector<PodView> pods{pod_at("127.0.0.8")};
  CHECK_FALSE(reader.read({}, pods));
  HttpServer other({"127.0.0.7", api::worker_progress_port},
                   [](std::string_view) { return HttpPage{.body = R"({"recordsDone":5})"}; });
  // With time for one only, the one that answers is heard: the other is not asked.
  const auto heard = reader.read({}, {pods[0], pod_at("127.0.0.7")});
  REQUIRE(heard);
  CHECK(heard->records_done == 5);
}

}  // namespace
}  // namespace kb::op
