#include "storage/memory.h"

#include "storage/store_suite.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::storage;

TEST_CASE("memory store") {
  run_store_suite([] { return std::make_shared<MemoryStore>(); });
}

TEST_CASE("memory store: hooks see every call, in pairs and without a lock") {
  std::vector<std::string> seen;
  MemoryStore* store_seen = nullptr;
  auto note = [&](const char* when) {
    return [&seen, &store_seen, when](const StoreOperation& operation) {
      seen.push_back(fmt::format("{} {} {}", when, static_cast<int>(operation.kind), operation.key));
      if (operation.key == "reenter") store_seen->overwrite("other", "x");
    };
  };
  MemoryStore store({note("before"), note("after")});
  store_seen = &store;
  const Context ctx;
  store.put_if_absent(ctx, "reenter", "1");
  store.get(ctx, "a");
  store.get_range(ctx, "a", {0, 1});
  store.head(ctx, "a");
  store.remove(ctx, "a");
  store.list(ctx, "o");
  CHECK(seen == std::vector<std::string>{"before 3 reenter", "after 3 reenter", "before 1 a", "after 1 a",
                                         "before 2 a", "after 2 a", "before 0 a", "after 0 a", "before 4 a",
                                         "after 4 a", "before 5 o", "after 5 o"});
}

TEST_CASE("memory store: a hook's error happens instead of the operation, or hides its outcome") {
  auto throws = [](const StoreOperation&) { fail(ErrorKind::unavailable, "gone"); };
  const Context ctx;
  MemoryStore refusing({.before = throws});
  CHECK_THROWS_AS(refusing.put_if_absent(ctx, "a", "1"), Error);
  CHECK_THROWS_AS(refusing.list(ctx, ""), Error);
  bool lost = true;
  MemoryStore forgetful({.after = [&](const StoreOperation& operation) {
    if (lost) throws(operation);
  }});
  CHECK_THROWS_AS(forgetful.put_if_absent(ctx, "a", "1"), Error);
  lost = false;
  CHECK(forgetful.get(ctx, "a") == "1");
}
