#include "kube/reflector.h"

#include <algorithm>
#include <atomic>
#include <random>

#include "base/log.h"
#include "base/retry.h"
#include "kube/list_page.h"
#include "kube/status_error.h"
#include "schema/schema.h"

namespace kb::kube {
namespace {

constexpr auto list_timeout = std::chrono::minutes(1);
// The server ends a watch after a while of its own choosing below this; one that it does not end is dead.
constexpr int watch_s_min = 300, watch_s_max = 600;
constexpr auto watch_margin = std::chrono::seconds(30);
// A watch that ended sooner, without an event, is not asked for again at once.
constexpr auto watch_short = std::chrono::seconds(1);
// Never gives up: what is refused today (rights, a kind that is not installed yet) may work tomorrow.
constexpr RetryPolicy restart{.backoff_first = std::chrono::milliseconds(200),
                              .backoff_max = std::chrono::seconds(30),
                              .give_up_after = Duration::max()};

int random_watch_s() {
  thread_local std::minstd_rand random{std::random_device{}()};
  return std::uniform_int_distribution<int>(watch_s_min, watch_s_max)(random);
}

ObjectKey key_of(const json::value& object) {
  ObjectKey key{text_at(object, "metadata.namespace"), text_at(object, "metadata.name")};
  if (key.name.empty()) fail(ErrorKind::corrupt, "an object without a name");
  return key;
}

std::string version_of(const json::value& object) {
  return text_at(object, "metadata.resourceVersion");
}

}  // namespace

struct Reflector::State {
  Api& api;
  const ReflectorSettings settings;
  ObjectCache& cache;
  std::atomic<bool> synced = false;
  // owned by the thread of run()
  std::string version;  // where to watch on; empty: list first
  FailureRow failures;
  std::size_t page_items;  // fewer when a page of objects was too long

  State(Api& a, ReflectorSettings s, ObjectCache& c)
      : api(a), settings(std::move(s)), cache(c), page_items(settings.page_items) {}

  std::string doing(std::string_view verb) const { return fmt::format("{} {}", verb, settings.type.plural); }
  std::string collection(const std::string& query) const {
    return path_of(settings.type, settings.resource_namespace) + "?" + query;
  }

  // ---- list

  ListPage read_page(const Context& ctx, const std::string& continue_token, std::string& text) {
    auto limit = std::to_string(page_items);
    auto query = query_of({{"labelSelector", settings.label_selector}, {"limit", limit}});
    if (!continue_token.empty()) query += "&" + query_of({{"continue", continue_token}});
    text = api.send(ctx.with_timeout(list_timeout), {.path = collection(query)});
    return split_list(text);
  }

  void list(const Context& ctx) {
    std::set<ObjectKey> seen;
    for (std::string continue_token;;) {
      std::string text;
      auto page = read_page(ctx, continue_token, text);
      for (auto item : page.items) list_item(page, item, seen);
      continue_token = page.continue_token;
      if (!continue_token.empty()) continue;
      remove_all_but(seen);
      version = page.resource_version;
      synced = true;
      return;
    }
  }

  void list_item(const ListPage& page, std::string_view text, std::set<ObjectKey>& seen) {
    alone([&] {
      auto object = schema::parse_json(text, "an object of a list", ErrorKind::corrupt);
      auto key = key_of(object);
      seen.insert(key);
      auto& members = object.as_object();
      members.emplace("apiVersion", page.api_version);  // unless they are there
      members.emplace("kind", page.kind);
      auto known = cache.find(key);
      if (!known || known->resource_version != version_of(object)) put(key, object);
    });
  }

  void remove_all_but(const std::set<ObjectKey>& seen) {
    // The cache may be shared with reflectors of other namespaces.
    auto is_ours = [&](const ObjectKey& key) {
      return settings.resource_namespace.empty() || key.resource_namespace == settings.resource_namespace;
    };
    for (const auto& key : cache.keys())
      if (is_ours(key) && !seen.contains(key)) alone([&] { remove(key); });
  }

  // ---- watch

  // Until the server ends it. `version` follows the events.
  void watch(const Context& ctx) {
    const int seconds = random_watch_s();
    auto query = query_of({{"watch", "true"},
                           {"allowWatchBookmarks", "true"},
                           {"labelSelector", settings.label_selector},
                           {"resourceVersion", version},
                           {"timeoutSeconds", std::to_string(seconds)}});
    auto limited = ctx.with_timeout(std::chrono::seconds(seconds) + watch_margin);
    api.stream(limited, {.path = collection(query)}, [&](std::string_view line) { event(line); });
  }

  void event(std::string_view line) {
    json::value event;
    if (!alone([&] { event = schema::parse_json(line, "an event", ErrorKind::corrupt); })) return;
    auto type = text_at(event, "type");
    const auto* object = find(event, "object");
    if (type == "ERROR") refuse(object);
    if (!object) return;
    failures.reset();
    auto passed = version_of(*object);
    if (type != "BOOKMARK") alone([&] { changed(type, event.as_object().at("object")); });
    if (!passed.empty()) version = passed;
  }

  [[noreturn]] void refuse(const json::value* status) {
    constexpr int server_error = 500;
    int code = status ? static_cast<int>(integer_at(*status, "code", server_error)) : server_error;
    throw error_of("the watch", code, status ? schema::serialize(*status) : "");
  }

  void changed(const std::string& type, json::value& object) {
    auto key = key_of(object);
    if (type == "DELETED")
      remove(key);
    else
      put(key, object);
  }

  // ---- one object

  void put(const ObjectKey& key, json::value& object) {
    auto object_version = version_of(object);
    auto& members = object.as_object();
    if (auto* metadata = members.if_contains("metadata")) metadata->as_object().erase("managedFields");
    settings.trim(object);
    auto owner = settings.owner(object);
    auto before = cache.find(key);
    auto packed = std::make_shared<const PackedText>(schema::serialize(object));
    cache.put(key, {std::move(packed), std::move(object_version), owner});
    if (before && before->owner != owner) tell(key, before->owner, &object);
    tell(key, owner, &object);
  }

  void remove(const ObjectKey& key) {
    if (auto entry = cache.remove(key)) tell(key, entry->owner, nullptr);
  }

  void tell(const ObjectKey& key, const std::string& owner, const json::value* object) const {
    if (settings.on_change) settings.on_change(key, owner, object);
  }

  // What goes wrong with one object must not stop the others. False when it did.
  template <class Action>
  bool alone(Action action) {
    try {
      action();
      return true;
    } catch (const std::exception& error) {
      LOG_ERROR("{}: an object is left out: {}", doing("watching"), error.what());
      return false;
    }
  }

  // ---- all of it

  void list_and_watch(const Context& ctx) {
    if (version.empty()) {
      list(ctx);
      failures.reset();
    }
    auto begun = Clock::now();
    auto from = version;
    watch(ctx);
    if (version == from && Clock::now() - begun < watch_short)
      fail(ErrorKind::unavailable, "the watch ended at once");
  }

  void after_failure(const Context& ctx, const Error& error) {
    ctx.check();
    // Gone, by the server's memory: 410, also in the middle of a list; or the kind itself.
    if (error.kind() == ErrorKind::not_found) version.clear();
    // Longer than an answer may be: a few huge objects must not keep us from all.
    if (error.kind() == ErrorKind::invalid && version.empty())
      page_items = std::max<std::size_t>(page_items / 2, 1);
    LOG_WARN("{}: {}", doing("watching"), error.what());
    ctx.sleep_for(failures.note(restart, Error(ErrorKind::unavailable, error.what()), Clock::now()));
  }
};

Reflector::Reflector(Api& api, ReflectorSettings settings, ObjectCache& cache)
    : state_(std::make_shared<State>(api, std::move(settings), cache)) {}

bool Reflector::synced() const {
  return state_->synced;
}

void Reflector::run(const Context& ctx) {
  for (;;) {
    try {
      state_->list_and_watch(ctx);
    } catch (const Error& error) {
      state_->after_failure(ctx, error);
    }
  }
}

}  // namespace kb::kube
