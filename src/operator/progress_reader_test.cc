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
  return ProgressReader().read({}, "run", {pod_at("127.0.0.7")});
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

TEST_CASE("a run whose worker does not answer is asked about once, and then not for a while") {
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
  CHECK_FALSE(reader.read({}, "silent", {pod_at("127.0.0.8")}));
  int asked = 0;
  HttpServer other({"127.0.0.7", api::worker_progress_port}, [&](std::string_view) {
    ++asked;
    return HttpPage{.body = R"({"recordsDone":5})"};
  });
  CHECK_FALSE(reader.read({}, "silent", {pod_at("127.0.0.7")}));
  CHECK(asked == 0);
  CHECK(reader.read({}, "other", {pod_at("127.0.0.7")})->records_done == 5);
  CHECK_FALSE(reader.read({}, "other", {pod_at("127.0.0.7")}));  // it has just been asked
  CHECK(asked == 1);
}

TEST_CASE("shards that are done count, and without one of the others nothing is said") {
  HttpServer server({"127.0.0.7", api::worker_progress_port}, [](std::string_view) {
    return HttpPage{.body = R"({"recordsDone":5,"recordsTotal":10})"};
  });
  auto done = pod_at("127.0.0.9");
  done.running = false;
  done.terminated = true;
  done.report = api::WorkReport{.outcome = api::WorkOutcome::shard_done, .records = 10};
  const auto all = ProgressReader().read({}, "run", {done, pod_at("127.0.0.7")});
  REQUIRE(all);
  CHECK(all->records_done == 15);
  CHECK(all->records_total == 20);
  CHECK_FALSE(ProgressReader().read({}, "run", {pod_at("127.0.0.7"), pod_at("127.0.0.9")}));
}

}  // namespace
}  // namespace kb::op
