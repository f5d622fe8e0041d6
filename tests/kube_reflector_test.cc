// Reflector against a real API server, also when that or its etcd is killed, and forgets.
#include <atomic>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <malloc.h>

#include "base/task_group.h"
#include "kube/reflector.h"
#include "kube_test_server.h"

#include <doctest/doctest.h>

namespace kb::kube {
namespace {

constexpr ResourceType odd{"test.kafka-backup", "v1", "odds"};  // takes any content: tests/e2e/kube_client.sh

// A reflector that runs, and what it told.
class Running {
 public:
  Running(
      TestNamespace& test, Api& api, ResourceType type = config_maps,
      std::function<void(ReflectorSettings&)> change = [](ReflectorSettings&) {})
      : reflector_(api, settings(test, type, change), cache), group_({stop_.get_token()}) {
    group_.spawn([this](const Context& ctx) { reflector_.run(ctx); });
  }
  ~Running() {
    stop_.request_stop();
    auto ended = failure_of([&] { group_.wait(); });
    if (ended.kind() != ErrorKind::cancelled) MESSAGE(ended.what());
  }
  bool synced() const { return reflector_.synced(); }
  bool has(const std::string& name) const { return cache.get({resource_namespace, name}) != nullptr; }
  std::string text(const std::string& name) const {
    auto object = cache.get({resource_namespace, name});
    return object ? text_at(json::parse(*object), "data.text") : "";
  }
  // "name owner" or "-name owner" for each call of on_change.
  std::vector<std::string> told() const {
    std::lock_guard lock(mutex_);
    return told_;
  }

  ObjectCache cache;
  std::string resource_namespace;

 private:
  ReflectorSettings settings(TestNamespace& test, ResourceType type,
                             const std::function<void(ReflectorSettings&)>& change) {
    resource_namespace = test.name;
    ReflectorSettings settings{.type = type, .resource_namespace = test.name, .page_items = 2};
    settings.owner = [](const json::value& object) { return text_at(object, "metadata.labels.owner"); };
    settings.on_change = [this](const ObjectKey& key, const std::string& owner, const json::value* object) {
      std::lock_guard lock(mutex_);
      if (key.name == "kube-root-ca.crt") return;  // is in every namespace
      told_.push_back(fmt::format("{}{} {}", object ? "" : "-", key.name, owner));
    };
    change(settings);
    return settings;
  }

  mutable std::mutex mutex_;
  std::vector<std::string> told_;  // guarded by mutex_
  std::stop_source stop_;
  Reflector reflector_;
  TaskGroup group_;
};

// Retried while the server is away.
void persistently(const std::function<void()>& action) {
  for (auto ctx = soon();; ctx.sleep_for(std::chrono::milliseconds(100))) try {
      return action();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::unavailable) throw;
    }
}

TEST_CASE("what is there, what comes, changes and goes, with its owner") {
  TestNamespace test;
  for (const char* name : {"a", "b", "c", "d", "e"}) test.add(name, "one", "o1");  // three pages
  Running running(test, *test.api, config_maps, [](ReflectorSettings& settings) {
    settings.trim = [](json::value& object) { object.at("metadata").as_object().erase("labels"); };
    settings.owner = [](const json::value& object) { return text_at(object, "data.text"); };
  });
  wait_until([&] { return running.synced(); });
  for (const char* name : {"a", "b", "c", "d", "e"}) CHECK(running.has(name));
  auto object = json::parse(*running.cache.get({test.name, "a"}));
  CHECK_EQ(text_at(object, "kind"), "ConfigMap");
  CHECK_EQ(text_at(object, "apiVersion"), "v1");
  CHECK_EQ(find(object, "metadata.managedFields"), nullptr);
  CHECK_EQ(find(object, "metadata.labels"), nullptr);
  CHECK_EQ(running.cache.owned_by("one").size(), 5);

  test.add("f", "two");
  merge_patch(soon(), *test.api, test.path("a"), {{"data", {{"text", "two"}}}}, "tester");
  remove(soon(), *test.api, test.path("b"), Propagation::background);
  wait_until([&] { return running.has("f") && running.text("a") == "two" && !running.has("b"); });
  CHECK_EQ(running.cache.owned_by("one").size(), 3);
  CHECK_EQ(running.cache.owned_by("two").size(), 2);
  CHECK(running.cache.owned_by("none").empty());
  CHECK_EQ(running.cache.size(), running.cache.keys().size());
  wait_until([&] { return running.told().size() >= 9; });
  auto told = running.told();
  told.erase(told.begin(), told.begin() + 5);
  CHECK_EQ(told, std::vector<std::string>{"f two", "a one", "a two", "-b one"});
}

TEST_CASE("only what the selector matches") {
  TestNamespace test;
  test.add("a", "x", "me");
  test.add("b", "x", "you");
  Running running(test, *test.api, config_maps,
                  [](ReflectorSettings& settings) { settings.label_selector = "owner=me"; });
  wait_until([&] { return running.synced(); });
  CHECK_EQ(running.cache.size(), 1);
  merge_patch(soon(), *test.api, test.path("b"), {{"metadata", {{"labels", {{"owner", "me"}}}}}}, "tester");
  wait_until([&] { return running.has("b"); });
  merge_patch(soon(), *test.api, test.path("a"), {{"metadata", {{"labels", {{"owner", "no"}}}}}}, "tester");
  wait_until([&] { return !running.has("a"); });
}

TEST_CASE("the server is killed, then its etcd") {
  TestNamespace test;
  test.add("a", "one");
  test.add("b", "one");
  Running running(test, *test.api);
  wait_until([&] { return running.has("a"); });
  int round = 0;
  for (const char* command : {"KUBE_CRASH_SERVER", "KUBE_CRASH_ETCD"}) {
    run_command(command);
    auto name = fmt::format("c{}", ++round);
    persistently([&] { test.add(name, "new"); });
    persistently([&] {
      merge_patch(soon(), *test.api, test.path("a"), {{"data", {{"text", name}}}}, "tester");
    });
    wait_until([&] { return running.has(name) && running.text("a") == name; });
  }
  persistently([&] { remove(soon(), *test.api, test.path("b"), Propagation::background); });
  wait_until([&] { return !running.has("b"); });
}

// Passes requests on; a hook sees them before, and may change them.
struct Changed : Api {
  explicit Changed(Api& a) : inner(a) {}
  Api& inner;
  std::function<void(Request&)> list = [](Request&) {}, watch = [](Request&) {};
  std::atomic<int> lists = 0, watches = 0, gone = 0;

  template <class Action>
  auto counted(Action action) {
    try {
      return action();
    } catch (const Error& error) {
      if (std::string_view(error.what()).find(" 410 ") != std::string_view::npos) ++gone;
      throw;
    }
  }

  std::string send(const Context& ctx, const Request& request) override {
    auto changed = request;
    ++lists;
    list(changed);
    return counted([&] { return inner.send(ctx, changed); });
  }
  void stream(const Context& ctx, const Request& request,
              const std::function<void(std::string_view)>& line) override {
    auto changed = request;
    ++watches;
    watch(changed);
    counted([&] { inner.stream(ctx, changed, line); });
  }
};

TEST_CASE("a version that the server has forgotten: listed again, and what went meanwhile is told") {
  TestNamespace test;
  for (const char* name : {"a", "b", "c"}) test.add(name, "one");
  Changed api(*test.api);
  std::atomic<bool> away = false;
  api.watch = [&](Request& request) {
    if (api.watches == 1) {
      request.path += "&timeoutSeconds=1";  // ends by itself; the first of two counts
      auto at = request.path.find("timeoutSeconds=");
      request.path.erase(at, request.path.find('&', at) + 1 - at);
    } else if (api.watches == 2) {
      away = true;
      wait_until([&] { return !away; });
      auto at = request.path.find("resourceVersion=");
      auto end = std::min(request.path.find('&', at), request.path.size());
      request.path.replace(at, end - at, "resourceVersion=1");
    }
  };
  Running running(test, api);
  wait_until([&] { return away.load(); });
  CHECK_EQ(running.told(), std::vector<std::string>{"a ", "b ", "c "});
  remove(soon(), *test.api, test.path("a"), Propagation::background);
  merge_patch(soon(), *test.api, test.path("b"), {{"data", {{"text", "two"}}}}, "tester");
  test.add("d", "one");
  run_command("KUBE_COMPACT");
  away = false;
  wait_until([&] { return running.has("d") && !running.has("a"); });
  CHECK_EQ(api.gone, 1);
  CHECK_EQ(running.text("b"), "two");
  wait_until([&] { return running.told().size() >= 6; });
  CHECK_EQ(running.told(), std::vector<std::string>{"a ", "b ", "c ", "b ", "d ", "-a "});  // c is as it was
}

TEST_CASE("a list whose next page the server has forgotten begins again") {
  TestNamespace test;
  for (const char* name : {"a", "b", "c", "d", "e"}) test.add(name, "one");
  Changed api(*test.api);
  api.list = [&](Request& request) {
    auto at = request.path.find("continue=");
    if (at == std::string::npos || api.gone > 0) return;
    // What the server itself writes into its tokens, of its first days.
    request.path.resize(at);
    request.path += query_of({{"continue", environment("KUBE_OLD_CONTINUE")}});
    run_command("KUBE_COMPACT");
  };
  Running running(test, api);
  wait_until([&] { return running.synced(); });
  CHECK_EQ(api.gone, 1);
  for (const char* name : {"a", "b", "c", "d", "e"}) CHECK(running.has(name));
}

TEST_CASE("pages that are too long become shorter") {
  TestNamespace test;
  for (const char* name : {"a", "b", "c", "d", "e"}) test.add(name, std::string(4000, 'x'));
  auto config = test_config();
  config.http.answer_bytes_max = 12'000;  // room for two
  auto api = connect(config);
  Running running(test, *api, config_maps, [](ReflectorSettings& settings) { settings.page_items = 8; });
  wait_until([&] { return running.synced(); });
  for (const char* name : {"a", "b", "c", "d", "e"}) CHECK(running.has(name));
}

json::value odd_object(const std::string& name, json::value content) {
  return {{"apiVersion", "test.kafka-backup/v1"},
          {"kind", "Odd"},
          {"metadata", {{"name", name}}},
          {"spec", {{"content", std::move(content)}}}};
}

TEST_CASE("objects that cannot be read do not disturb the others") {
  TestNamespace test;
  auto add = [&](const std::string& name, const json::value& content) {
    auto body = json::serialize(odd_object(name, content));  // sent as it is: we cannot read the answer
    test.api->send(soon(), {.method = "POST", .path = test.path({}, odd), .body = body});
  };
  json::value deep = 1;
  for (int i = 0; i < 200; ++i) deep = json::array{deep};
  add("a-deep", deep);
  add("b-number", 5);
  add("c-good", "text");
  Running running(test, *test.api, odd, [](ReflectorSettings& settings) {
    settings.page_items = 10;
    settings.trim = [](json::value& object) { object.at("spec").at("content").as_string(); };
  });
  wait_until([&] { return running.synced(); });
  CHECK_EQ(running.cache.size(), 1);
  add("d-deep", deep);
  add("e-number", 6);
  add("f-good", "text");
  wait_until([&] { return running.has("f-good"); });
  CHECK_EQ(running.cache.size(), 2);
  // A good one that turns bad keeps its last good state, until it goes.
  merge_patch(soon(), *test.api, test.path("f-good", odd), {{"spec", {{"content", 7}}}}, "tester");
  add("g-good", "text");
  wait_until([&] { return running.has("g-good"); });
  CHECK(running.has("f-good"));
  remove(soon(), *test.api, test.path("f-good", odd), Propagation::background);
  wait_until([&] { return !running.has("f-good"); });
}

TEST_CASE("a kind that does not exist yet") {
  TestNamespace test;
  constexpr ResourceType none{"test.kafka-backup", "v1", "nones"};
  Changed api(*test.api);
  Running running(test, api, none);
  wait_until([&] { return api.lists >= 3; });  // it asks again and again
  CHECK_FALSE(running.synced());
}

TEST_CASE("a thousand objects of 4 KB take 5 MB at most") {
  TestNamespace test;
  constexpr int objects = 1000, bytes = 4000;
  TaskGroup writers(soon());
  for (int writer = 0; writer < 4; ++writer)
    writers.spawn([&, writer](const Context&) {
      for (int i = writer; i < objects; i += 4) test.add(std::to_string(i), std::string(bytes, 'x'));
    });
  writers.wait();
  const auto before = ::mallinfo2().uordblks;
  if (before == 0) return;  // a sanitizer's memory, which does not count
  Running running(test, *test.api, config_maps,
                  [](ReflectorSettings& settings) { settings.page_items = 250; });
  wait_until([&] { return running.synced(); });
  CHECK_GE(running.cache.size(), objects);
  const auto used = ::mallinfo2().uordblks - before;
  CHECK_LT(used, 5'500'000);
  CHECK_GT(used, std::size_t{objects} * 100);  // it is counted
}

}  // namespace
}  // namespace kb::kube
