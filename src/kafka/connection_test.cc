// The peers here are scripts of bytes, to see what a Connection makes of them. Real brokers:
// tests/kafka_broker_test.cc.
#include "kafka/connection.h"

#include <thread>

#include "kafka/big_endian.h"
#include "kafka/messages.h"
#include "kafka/scripted_broker.h"

#include <doctest/doctest.h>

namespace kb::kafka {
namespace {

using namespace std::chrono_literals;

TEST_CASE("the handshake learns the versions, and the newest common one is spoken") {
  Scripted scripted(versions_answer());
  auto& connection = scripted.open();
  CHECK(connection.usable());
  CHECK_EQ(connection.version<MetadataRequest>(), 9);
  CHECK_EQ(connection.version<FetchRequest>(), FetchRequest::api.max_version);
  CHECK_EQ(connection.endpoint(), scripted.listener.endpoint());

  auto request = scripted.peer.receive(12);  // length, api key, version, correlation id
  CHECK_EQ(read_big_endian<int16_t>(&request[4]), ApiVersionsRequest::api.key);
  CHECK_EQ(read_big_endian<int16_t>(&request[6]), ApiVersionsRequest::api.max_version);
  CHECK_EQ(read_big_endian<int32_t>(&request[8]), 1);
}

TEST_CASE("an api that the broker lacks, or speaks in other versions only, is named") {
  Scripted scripted(versions_answer());
  auto& connection = scripted.open();
  auto missing = failure_of([&] { connection.send(within_a_minute(), ListGroupsRequest{}); });
  CHECK_EQ(missing.kind(), ErrorKind::invalid);
  CHECK_EQ(std::string(missing.what()),
           fmt::format("ListGroups at {}: the broker does not offer this api", scripted.at()));
  auto disjoint = failure_of([&] { connection.version<ProduceRequest>(); });
  CHECK_EQ(disjoint.kind(), ErrorKind::invalid);
  CHECK_EQ(
      std::string(disjoint.what()),
      fmt::format("Produce at {}: the broker speaks versions 90 to 99 of this api, this program {} to {}",
                  scripted.at(), ProduceRequest::api.min_version, ProduceRequest::api.max_version));
  CHECK(connection.usable());
}

TEST_CASE("a broker that does not know our ApiVersions is asked in version 0") {
  ApiVersionsResponse refused{.error_code = ErrorCode::unsupported_version};
  ApiVersionsResponse answered{.api_keys = {{.api_key = MetadataRequest::api.key, .max_version = 5}}};
  Scripted scripted(answer(1, refused, 0) + answer(2, answered, 0));
  auto& connection = scripted.open();
  CHECK_EQ(connection.version<MetadataRequest>(), 5);
  auto first_length = read_big_endian<int32_t>(scripted.peer.receive(4).data());
  scripted.peer.receive(static_cast<std::size_t>(first_length));
  auto second = scripted.peer.receive(12);
  CHECK_EQ(read_big_endian<int16_t>(&second[4]), ApiVersionsRequest::api.key);
  CHECK_EQ(read_big_endian<int16_t>(&second[6]), 0);
}

TEST_CASE("whoever is not a Kafka broker gives one clear error") {
  struct Case {
    std::string script;
    ErrorKind kind;
    const char* text;
  };
  auto version = ApiVersionsRequest::api.max_version;
  const Case cases[] = {
      {"HTTP/1.1 400 Bad Request\r\n\r\n", ErrorKind::invalid, "not a Kafka broker: it answers in HTTP"},
      {std::string("\x15\x03\x03\x00\x02\x02\x50", 7), ErrorKind::invalid, "it answers with a TLS alert"},
      {"SSH-2.0-OpenSSH_9.2\r\n", ErrorKind::invalid, "it answers in SSH"},
      {"220 mail ESMTP\r\n", ErrorKind::invalid, "it announces an answer of 842149920 bytes"},
      {"\xff\xff\xff\xff", ErrorKind::invalid, "it announces an answer of -1 bytes"},
      {framed("ab"), ErrorKind::invalid, "not a Kafka broker: "},
      {framed("abcdefghijklmn"), ErrorKind::invalid, "the answer is to request 1633837924, expected was 1"},
      {framed({"\0\0\0\1\0\0zzzzzzz", 13}), ErrorKind::invalid, "not a Kafka broker: "},
      {answer(1, ApiVersionsResponse{.error_code = ErrorCode::cluster_authorization_failed}, version),
       ErrorKind::denied, "CLUSTER_AUTHORIZATION_FAILED"},
      {"", ErrorKind::unavailable, "closed the connection"},
      {"ab", ErrorKind::unavailable, "closed the connection"},
      {versions_answer().substr(0, 20), ErrorKind::unavailable, "closed the connection"},
  };
  for (const auto& [script, kind, text] : cases) {
    const auto& sent = script;
    CAPTURE(sent);
    Scripted scripted(script);
    scripted.peer.finish_sending();
    auto error = failure_of([&] { scripted.open(); });
    CHECK_EQ(error.kind(), kind);
    std::string what = error.what();
    CHECK_MESSAGE(what.find(text) != std::string::npos, what);
    CHECK_MESSAGE(what.starts_with(fmt::format("ApiVersions at {}: ", scripted.at())), what);
    if (kind != ErrorKind::denied) CHECK_FALSE(error.hint().empty());
  }
}

TEST_CASE("a reset and a silent peer in the handshake") {
  Scripted reset("");
  reset.peer.reset();
  CHECK_EQ(failure_of([&] { reset.open(); }).kind(), ErrorKind::unavailable);
  Scripted silent("");
  auto error = failure_of([&] { silent.open(Context{}.with_timeout(10ms)); });
  CHECK_EQ(error.kind(), ErrorKind::timed_out);
  CHECK_MESSAGE(std::string(error.what()).find("no answer after 0.") != std::string::npos, error.what());
  LoopbackListener never_answers;
  ConnectionSettings settings{.connect_timeout = 10ms};
  auto opening = [&] { Connection::open(within_a_minute(), never_answers.endpoint(), settings); };
  CHECK_EQ(failure_of(opening).kind(), ErrorKind::timed_out);
}

TEST_CASE("requests are pipelined and answered in order") {
  Scripted scripted(versions_answer());
  auto& connection = scripted.open();
  auto ctx = within_a_minute();
  for (int i = 0; i < 3; ++i) connection.send(ctx, MetadataRequest{});
  CHECK_EQ(connection.in_flight(), 3);
  for (int i = 0; i < 3; ++i) scripted.peer.send(cluster_answer(2 + i, fmt::format("cluster-{}", i)));
  for (int i = 0; i < 3; ++i)
    CHECK_EQ(connection.receive<MetadataRequest>(ctx).message.cluster_id, fmt::format("cluster-{}", i));
  CHECK_EQ(connection.in_flight(), 0);
  scripted.peer.send(cluster_answer(5, "called"));
  CHECK_EQ(connection.call(ctx, MetadataRequest{}).message.cluster_id, "called");
}

TEST_CASE("a connection may be moved while requests are in flight") {
  Scripted scripted(versions_answer());
  scripted.open().send(within_a_minute(), MetadataRequest{});
  scripted.peer.send(cluster_answer(2, "moved"));
  Connection moved = std::move(*scripted.connection);
  CHECK_EQ(moved.receive<MetadataRequest>(within_a_minute()).message.cluster_id, "moved");
}

TEST_CASE("records stay in the buffer of the answer") {
  Scripted scripted(versions_answer());
  auto& connection = scripted.open();
  FetchResponse response;
  response.responses.emplace_back().partitions.emplace_back().records = {"the batches"};
  scripted.peer.send(answer(2, response, FetchRequest::api.max_version));
  auto reply = connection.call(within_a_minute(), FetchRequest{});
  auto records = reply.message.responses.at(0).partitions.at(0).records.bytes;
  CHECK_EQ(records, "the batches");
  CHECK_GE(records.data(), reply.buffer->view().data());
  CHECK_LE(records.data() + records.size(), reply.buffer->view().data() + reply.buffer->size());
}

TEST_CASE("a failed exchange closes the connection and names api and broker") {
  struct Case {
    std::string script;
    ErrorKind kind;
    const char* text;
  };
  const Case cases[] = {
      {cluster_answer(7, ""), ErrorKind::corrupt, "the answer is to request 7, expected was 2"},
      {framed(std::string(10001, 'x')), ErrorKind::corrupt,
       "an answer of 10001 bytes is announced, the limit is 10000"},
      {"HTTP", ErrorKind::corrupt, "an answer of 1213486160 bytes is announced"},
      {framed({"\0\0\0\2\0zzzz", 9}), ErrorKind::corrupt, "reading Kafka message Metadata"},
      {framed("a"), ErrorKind::corrupt, "truncated"},
      {"", ErrorKind::unavailable, "closed the connection"},
      {cluster_answer(2, "half an answer").substr(0, 20), ErrorKind::unavailable, "closed the connection"},
  };
  for (const auto& [script, kind, text] : cases) {
    const auto sent = script.substr(0, 30);
    CAPTURE(sent);
    Scripted scripted(versions_answer() + script);
    scripted.peer.finish_sending();
    auto& connection = scripted.open();
    connection.send(within_a_minute(), MetadataRequest{});
    connection.send(within_a_minute(), MetadataRequest{});
    auto error = failure_of([&] { connection.receive<MetadataRequest>(within_a_minute()); });
    CHECK_EQ(error.kind(), kind);
    std::string what = error.what();
    CHECK_MESSAGE(what.starts_with(fmt::format("Metadata at {}: ", scripted.at())), what);
    CHECK_MESSAGE(what.find(text) != std::string::npos, what);
    CHECK_FALSE(connection.usable());
    CHECK_EQ(connection.in_flight(), 0);
    auto again = failure_of([&] { connection.send(within_a_minute(), MetadataRequest{}); });
    CHECK_EQ(again.kind(), ErrorKind::unavailable);
    CHECK_EQ(failure_of([&] { connection.receive<MetadataRequest>(within_a_minute()); }).kind(),
             again.kind());
  }
}

TEST_CASE("a broker that falls silent ends at the request timeout, or by a stop") {
  Scripted silent(versions_answer());
  silent.settings.request_timeout = 10ms;
  auto error = failure_of([&] { silent.open().call(within_a_minute(), MetadataRequest{}); });
  CHECK_EQ(error.kind(), ErrorKind::timed_out);
  CHECK_FALSE(silent.connection->usable());

  Scripted stopped(versions_answer());
  auto& connection = stopped.open();
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  error = failure_of([&] {
    for (;;) connection.call(Context{stop.get_token()}, MetadataRequest{});
  });
  CHECK_EQ(error.kind(), ErrorKind::cancelled);
}

TEST_CASE("a context that is over before anything is sent leaves the connection as it is") {
  Scripted scripted(versions_answer() + cluster_answer(2, "later"));
  auto& connection = scripted.open();
  Context over{.deadline = Clock::now()};
  CHECK_EQ(failure_of([&] { connection.send(over, MetadataRequest{}); }).kind(), ErrorKind::timed_out);
  CHECK_EQ(connection.call(within_a_minute(), MetadataRequest{}).message.cluster_id, "later");
}

TEST_CASE("a throttled client has as much more time") {
  Scripted scripted(versions_answer() + cluster_answer(2, "throttled", 60'000));
  scripted.settings.request_timeout = 50ms;
  auto& connection = scripted.open();
  connection.call(within_a_minute(), MetadataRequest{});
  connection.send(within_a_minute(), MetadataRequest{});
  // The answer comes later than the request timeout allows, by the clock of the one who waits.
  std::jthread later([&] {
    Context{}.sleep_for(100ms);
    scripted.peer.send(cluster_answer(3, "late"));
  });
  CHECK_EQ(connection.receive<MetadataRequest>(within_a_minute()).message.cluster_id, "late");
}

TEST_CASE("answers are read into buffers that are used again") {
  Scripted scripted(versions_answer());
  scripted.settings.response_bytes_max = 1 << 20;
  auto& connection = scripted.open();
  FetchResponse response;
  std::string records(300'000, 'r');
  response.responses.emplace_back().partitions.emplace_back().records = {records};
  std::jthread sender([&] {
    for (int32_t id = 2; id < 4; ++id)
      scripted.peer.send(answer(id, response, FetchRequest::api.max_version));
  });
  auto* first = connection.call(within_a_minute(), FetchRequest{}).buffer->view().data();
  CHECK_EQ(connection.call(within_a_minute(), FetchRequest{}).buffer->view().data(), first);
}

}  // namespace
}  // namespace kb::kafka
