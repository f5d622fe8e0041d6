// Requests, tokens and events against a real API server.
#include <fstream>
#include <future>

#include "base/temporary_directory.h"
#include "kube/counting_api.h"
#include "kube/event_recorder.h"
#include "kube_test_server.h"

#include <doctest/doctest.h>

namespace kb::kube {
namespace {

constexpr ResourceType backups{"kafka.oso.sh", "v1alpha1", "kafkabackups"};

TEST_CASE("an object is created once, read, replaced and removed") {
  TestNamespace test;
  auto& api = *test.api;
  auto created = test.add("a", "one");
  REQUIRE(created);
  CHECK_FALSE(test.add("a", "two"));
  auto found = get(soon(), api, test.path("a"));
  REQUIRE(found);
  CHECK_EQ(text_at(*found, "data.text"), "one");
  CHECK_FALSE(get(soon(), api, test.path("b")));

  auto changed = *found;
  changed.at("data").as_object()["text"] = "three";
  auto replaced = replace(soon(), api, test.path("a"), changed);
  CHECK_EQ(text_at(replaced, "data.text"), "three");
  auto stale = failure_of([&] { replace(soon(), api, test.path("a"), changed); });
  CHECK_EQ(stale.kind(), ErrorKind::conflict);
  CHECK(says(stale, "the object has been modified"));

  CHECK_FALSE(remove(soon(), api, test.path("a"), Propagation::background, "another-uid"));
  CHECK(get(soon(), api, test.path("a")));
  CHECK(remove(soon(), api, test.path("a"), Propagation::background, text_at(*found, "metadata.uid")));
  CHECK_FALSE(remove(soon(), api, test.path("a"), Propagation::foreground));
  CHECK_FALSE(remove(soon(), api, test.path("a"), Propagation::orphan, "uid"));
}

TEST_CASE("a patch changes what it names, and only the version it names") {
  TestNamespace test;
  auto version = text_at(*test.add("a", "one"), "metadata.resourceVersion");
  auto patch = [&](const std::string& text) {
    return merge_patch(soon(), *test.api, test.path("a"),
                       {{"metadata", {{"resourceVersion", version}}}, {"data", {{"text", text}}}}, "tester");
  };
  auto patched = patch("two");
  CHECK_EQ(text_at(patched, "data.text"), "two");
  CHECK_EQ(text_at(patched, "metadata.managedFields"), "");
  CHECK_EQ(failure_of([&] { patch("three"); }).kind(), ErrorKind::conflict);
}

TEST_CASE(
    "server-side apply takes fields over, leaves those of others, and takes away what it no longer has") {
  TestNamespace test;
  test.add("a", "one");
  auto applied = [&](const std::string& name, const json::value& data) {
    json::value object{
        {"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"name", name}}}, {"data", data}};
    return apply(soon(), *test.api, test.path(name), object, "tester");
  };
  auto first = applied("a", {{"more", "x"}});
  CHECK_EQ(text_at(first, "data.text"), "one");
  CHECK_EQ(text_at(first, "data.more"), "x");
  auto second = applied("a", {{"text", "two"}});
  CHECK_EQ(text_at(second, "data.text"), "two");
  CHECK_EQ(find(second, "data.more"), nullptr);
  CHECK_EQ(text_at(applied("new", {{"text", "x"}}), "metadata.name"), "new");
}

TEST_CASE("a status is patched beside its spec") {
  TestNamespace test;
  create(soon(), *test.api, test.path({}, backups),
         {{"apiVersion", "kafka.oso.sh/v1alpha1"},
          {"kind", "KafkaBackup"},
          {"metadata", {{"name", "b"}}},
          {"spec",
           {{"kafkaCluster", {{"bootstrapServers", {"k:9092"}}}},
            {"topics", {"t"}},
            {"stopAtCurrentOffsets", true},
            {"storage", {{"storageType", "pvc"}, {"pvc", {{"claimName", "c"}}}}}}}});
  auto patched =
      merge_patch(soon(), *test.api, path_of(backups, test.name, "b", "status"),
                  {{"status", {{"phase", "Running"}}}, {"spec", {{"topics", {"other"}}}}}, "tester");
  CHECK_EQ(text_at(patched, "status.phase"), "Running");
  CHECK_EQ(find(patched, "spec.topics")->at(0), "t");
}

TEST_CASE("what is refused says why, and never with a token") {
  TestNamespace test;
  auto invalid = failure_of([&] { test.add("Not A Name"); });
  CHECK_EQ(invalid.kind(), ErrorKind::invalid);
  CHECK(says(invalid, "metadata.name"));
  CHECK_EQ(failure_of([&] {
             create(soon(), *test.api, "/api/v1/namespaces/none-such/configmaps",
                    {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"name", "x"}}}});
           }).kind(),
           ErrorKind::not_found);
  auto config = test_config();
  config.token = "wrong-token";
  auto denied = failure_of([&] { connect(config)->send(soon(), {.path = test.path("a")}); });
  CHECK_EQ(denied.kind(), ErrorKind::denied);
  CHECK_FALSE(std::string(denied.what()).find("wrong-token") != std::string::npos);
  config = test_config();
  config.http.ca_pem.clear();  // the system's do not know the test's authority
  CHECK_EQ(failure_of([&] { connect(config)->send(soon(), {.path = "/readyz"}); }).kind(), ErrorKind::denied);
}

TEST_CASE("a token that was replaced in its file is used at once when the old one is refused") {
  TestNamespace test;
  TemporaryDirectory folder;
  auto config = test_config();
  auto token = std::exchange(config.token, "");
  config.token_file = folder.path_of("token");
  std::ofstream(config.token_file) << "expired\n";
  auto api = connect(config);
  CHECK_EQ(failure_of([&] { get(soon(), *api, test.path("a")); }).kind(), ErrorKind::denied);
  std::ofstream(config.token_file) << token << "\n";
  test.add("a", "one");
  CHECK(get(soon(), *api, test.path("a")));
  std::size_t lines = 0;
  api->stream(soon(), {.path = test.path() + "?watch=true&timeoutSeconds=1&resourceVersion=0"},
              [&](std::string_view) { ++lines; });
  CHECK_GE(lines, 1);
}

TEST_CASE("a watch ends when its context does") {
  TestNamespace test;
  test.add("a");
  std::stop_source stop;
  std::promise<void> seen;
  auto ended = std::async(std::launch::async, [&] {
    bool first = true;
    return failure_of([&] {
             test.api->stream({stop.get_token()}, {.path = test.path() + "?watch=true"},
                              [&](std::string_view) {
                                if (std::exchange(first, false)) seen.set_value();
                              });
           })
        .kind();
  });
  seen.get_future().wait();
  stop.request_stop();
  CHECK_EQ(ended.get(), ErrorKind::cancelled);
}

std::vector<json::value> events_of(TestNamespace& test) {
  auto list = get(soon(), *test.api, test.path({}, events));
  const auto& items = find(*list, "items")->as_array();
  return {items.begin(), items.end()};
}

TEST_CASE("events are written, repetitions counted, long messages cut") {
  TestNamespace test;
  auto object = *test.add("a");
  const EventSubject subject{"v1", "ConfigMap", test.name, "a", text_at(object, "metadata.uid"), ""};
  std::string euros = "xx";  // so that the limit falls into the middle of one
  for (int i = 0; i < 500; ++i) euros += "\xE2\x82\xAC";
  {
    EventRecorder recorder(*test.api, "tester", "tester-0");
    for (int i = 0; i < 3; ++i)
      recorder.record(soon(), subject, EventType::warning, "BackupFailed", "it failed");
    recorder.record(soon(), subject, EventType::normal, "Long", euros);
  }
  auto written = events_of(test);
  REQUIRE_EQ(written.size(), 2);
  if (text_at(written[0], "reason") != "BackupFailed") std::swap(written[0], written[1]);
  CHECK_EQ(integer_at(written[0], "count"), 3);
  CHECK_EQ(text_at(written[0], "type"), "Warning");
  CHECK_EQ(text_at(written[0], "involvedObject.uid"), subject.uid);
  CHECK_EQ(text_at(written[0], "source.component"), "tester");
  auto cut = text_at(written[1], "message");
  CHECK_EQ(cut, euros.substr(0, 998));
}

TEST_CASE("an event that the server forgot is written anew, and a flood is cut off") {
  TestNamespace test;
  CountingApi api(*test.api);
  auto object = *test.add("a");
  const EventSubject subject{"v1", "ConfigMap", test.name, "a", text_at(object, "metadata.uid"), ""};
  EventRecorder recorder(api, "tester", "tester-0");
  recorder.record(soon(), subject, EventType::normal, "Again", "x");
  api.send(soon(), {.method = "DELETE", .path = test.path({}, events)});
  recorder.record(soon(), subject, EventType::normal, "Again", "x");
  auto written = events_of(test);
  REQUIRE_EQ(written.size(), 1);
  CHECK_EQ(integer_at(written[0], "count"), 2);

  auto begun = Clock::now();
  for (int i = 0; i < 300; ++i)
    recorder.record(soon(), subject, EventType::normal, "Flood", std::to_string(i));
  auto seconds = std::chrono::ceil<std::chrono::seconds>(Clock::now() - begun).count();
  CHECK_LE(api.counts()[{"POST", "events"}].requests, 10 * static_cast<std::uint64_t>(seconds + 1) + 2);
  CHECK_EQ(api.counts()[{"POST", "events"}].failures, 0);

  // Nobody must fail because an event cannot be written.
  auto config = test_config();
  config.token = "wrong";
  auto denied = connect(config);
  EventRecorder(*denied, "tester", "tester-0").record(soon(), subject, EventType::normal, "Denied", "x");
}

}  // namespace
}  // namespace kb::kube
