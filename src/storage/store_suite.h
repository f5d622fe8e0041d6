// What every driver must do, as one doctest suite: each driver's test calls run_store_suite in a TEST_CASE.
#pragma once
#include <algorithm>
#include <atomic>
#include <barrier>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/task_group.h"
#include "storage/object_store.h"

#include <doctest/doctest.h>

namespace kb::storage {

using StoreFactory = std::function<std::shared_ptr<ObjectStore>()>;  // an empty store

// "key key key"
inline std::string keys_of(const std::vector<ObjectInfo>& objects) {
  std::string keys;
  for (const auto& object : objects) keys += (keys.empty() ? "" : " ") + object.key;
  return keys;
}

template <class Act>
ErrorKind kind_thrown_by(Act act) {
  try {
    act();
  } catch (const Error& error) {
    return error.kind();
  }
  FAIL("nothing was thrown");
  return ErrorKind::internal;
}

inline void check_content(ObjectStore& store) {
  const Context ctx;
  std::string all_bytes;
  for (int byte = 0; byte < 256; ++byte) all_bytes.push_back(static_cast<char>(byte));
  std::vector<std::string_view> parts{"", std::string_view(all_bytes).substr(0, 100), "",
                                      std::string_view(all_bytes).substr(100)};
  CHECK(store.put_if_absent(ctx, "a/parts", parts));
  CHECK(store.get(ctx, "a/parts") == all_bytes);
  CHECK(store.put_if_absent(ctx, "a/empty", ""));
  CHECK(store.get(ctx, "a/empty") == "");
  CHECK(store.put_if_absent(ctx, "a/no-parts", std::span<const std::string_view>()));
  CHECK(store.head(ctx, "a/no-parts")->bytes == 0);
  CHECK(store.head(ctx, "a/parts")->key == "a/parts");
  CHECK(store.head(ctx, "a/parts")->bytes == 256);
  CHECK_FALSE(store.put_if_absent(ctx, "a/parts", "other"));
  CHECK(store.get(ctx, "a/parts") == all_bytes);
}

inline void check_missing(ObjectStore& store) {
  const Context ctx;
  CHECK(store.put_if_absent(ctx, "there/b", "x"));
  for (const std::string key : {"missing", "there", "there/missing", "there/b/c", "no/such/place"}) {
    CAPTURE(key);
    CHECK_FALSE(store.head(ctx, key).has_value());
    CHECK_FALSE(store.get(ctx, key).has_value());
    CHECK_FALSE(store.get_range(ctx, key, {0, 1}));
    CHECK_NOTHROW(store.remove(ctx, key));
  }
  CHECK(keys_of(store.list(ctx, "")) == "there/b");
  CHECK(store.list(ctx, "no").empty());
}

inline void check_ranges(ObjectStore& store) {
  const Context ctx;
  CHECK(store.put_if_absent(ctx, "r", "0123456789"));
  CHECK(store.get_range(ctx, "r", {0, 10})->view() == "0123456789");
  CHECK(store.get_range(ctx, "r", {3, 4})->view() == "3456");
  CHECK(store.get_range(ctx, "r", {9, 1})->view() == "9");
  CHECK(store.get_range(ctx, "r", {4, 0})->view() == "");
  CHECK(store.get_range(ctx, "r", {10, 0})->view() == "");
  constexpr auto most = ~std::uint64_t{0};
  for (ByteRange range : {ByteRange{0, 11}, {9, 2}, {10, 1}, {11, 0}, {5, most}, {most, 1}, {most, most}})
    CHECK(kind_thrown_by([&] { store.get_range(ctx, "r", range); }) == ErrorKind::corrupt);
}

inline void check_large_object(ObjectStore& store) {
  const Context ctx;
  std::string piece(1U << 20, '\0');
  for (std::size_t i = 0; i < piece.size(); ++i) piece[i] = static_cast<char>((i * 2654435761U) >> 24);
  std::vector<std::string_view> parts(65, piece);  // one more than goes into a system call at a time
  CHECK(store.put_if_absent(ctx, "large", parts));
  auto bytes = store.get(ctx, "large");
  REQUIRE(bytes.has_value());
  REQUIRE(bytes->size() == 65 * piece.size());
  for (std::size_t i = 0; i < 65; ++i)
    CHECK(std::string_view(*bytes).substr(i * piece.size(), piece.size()) == piece);
  CHECK(store.get_range(ctx, "large", {64 * piece.size() + 5, 9})->view() == piece.substr(5, 9));
  // Long ranges, on and off the grid of disks, up to the last byte and across the reads of a driver.
  for (std::size_t from : {std::size_t{0}, std::size_t{4096}, std::size_t{12345}})
    for (std::size_t length : {piece.size(), 3 * piece.size() - 777, 65 * piece.size() - from})
      CHECK(store.get_range(ctx, "large", {from, length})->view() ==
            std::string_view(*bytes).substr(from, length));
}

inline void check_removing(ObjectStore& store) {
  const Context ctx;
  CHECK(store.put_if_absent(ctx, "x/y/z", "1"));
  store.remove(ctx, "x/y/z");
  store.remove(ctx, "x/y/z");
  CHECK_FALSE(store.get(ctx, "x/y/z").has_value());
  CHECK(store.list(ctx, "").empty());
  CHECK(store.put_if_absent(ctx, "x/y", "2"));  // nothing stays behind that could be in the way
  CHECK(store.get(ctx, "x/y") == "2");
}

inline void check_listing(ObjectStore& store) {
  const Context ctx;
  // '+' < '-' < '.' < '/' < '0' < '=' < 'A' < '_' < 'a': the order of a directory walk would be another one
  std::vector<std::string> keys{"A",    "a+b/c", "a-b",  "a.b", "a/b",   "a/b.c/d", "a/b0", "a0",
                                "aA/x", "a_b",   "aa/b", "b",   "b=1/c", "c..d/e",  "z.tmp"};
  REQUIRE(std::ranges::is_sorted(keys));
  for (auto it = keys.rbegin(); it != keys.rend(); ++it) CHECK(store.put_if_absent(ctx, *it, *it));
  for (const std::string prefix :
       {"",    "a",  "a.",  "a/", "a/b", "a/b.c/d", "a/b.c/d/", "a/b.c/de", "b",     "b=1/c", "/",  "//",
        "a//", "..", "../", ".",  "./a", "a/../",   "c.",       "c../",     "c..d/", "\n",    "a b"}) {
    CAPTURE(prefix);
    std::string expected;
    for (const auto& key : keys)
      if (key.starts_with(prefix)) expected += (expected.empty() ? "" : " ") + key;
    auto objects = store.list(ctx, prefix);
    CHECK(keys_of(objects) == expected);
    for (const auto& object : objects) CHECK(object.bytes == object.key.size());
  }
}

inline void check_keys(ObjectStore& store) {
  const Context ctx;
  std::string longest = "k";
  while (longest.size() + 2 <= 1024) longest += longest.size() % 100 == 99 ? "/k" : "k";
  longest.resize(1024, 'k');
  CHECK(store.put_if_absent(ctx, longest, "1"));
  CHECK(store.get(ctx, longest) == "1");
  CHECK(store.put_if_absent(ctx, "a/...", "dots are a name"));
  for (const std::string& key :
       {std::string(), std::string("/"), std::string("/a"), std::string("a/"), std::string("a//b"),
        std::string("."), std::string(".."), std::string("a/."), std::string("a/../b"), std::string("../a"),
        std::string("./a"), std::string("a b"), std::string("a\\b"), std::string("a:b"), std::string("a*"),
        std::string("\xc3\xa4"), std::string("a\0b", 3), std::string("a\n"), longest + "k"}) {
    CAPTURE(key);
    CHECK(kind_thrown_by([&] { store.head(ctx, key); }) == ErrorKind::invalid);
    CHECK(kind_thrown_by([&] { store.get(ctx, key); }) == ErrorKind::invalid);
    CHECK(kind_thrown_by([&] { store.get_range(ctx, key, {0, 0}); }) == ErrorKind::invalid);
    CHECK(kind_thrown_by([&] { store.put_if_absent(ctx, key, "x"); }) == ErrorKind::invalid);
    CHECK(kind_thrown_by([&] { store.remove(ctx, key); }) == ErrorKind::invalid);
  }
}

// 16 threads want each of 20 names at the same moment; each must have one winner, whose bytes are there.
inline void check_race(ObjectStore& store) {
  constexpr int threads = 16;
  constexpr int names = 20;
  std::vector<std::atomic<int>> winners(names);
  std::vector<std::atomic<int>> winner(names);
  std::barrier<> start(threads);
  TaskGroup group(Context{});
  for (int thread = 0; thread < threads; ++thread) {
    group.spawn([&, thread](const Context& ctx) {
      struct Leave {
        std::barrier<>& start;
        ~Leave() { start.arrive_and_drop(); }
      } leave{start};  // also after an error: nobody waits for who is gone
      for (int name = 0; name < names; ++name) {
        start.arrive_and_wait();
        auto content = std::string(100'000, static_cast<char>('A' + thread));
        auto key = "race/" + std::to_string(name % 4) + "/" + std::to_string(name);
        auto index = static_cast<std::size_t>(name);
        if (store.put_if_absent(ctx, key, content)) {
          winners[index] += 1;
          winner[index] = thread;
        } else if (auto seen = store.get(ctx, key); !seen || seen->size() != content.size()) {
          winners[index] += 100;  // told that it is there, but it was not there whole
        }
      }
    });
  }
  group.wait();
  const Context ctx;
  auto objects = store.list(ctx, "race/");
  CHECK(objects.size() == names);
  for (std::size_t name = 0; name < names; ++name) {
    CHECK(winners[name] == 1);
    auto key = "race/" + std::to_string(name % 4) + "/" + std::to_string(name);
    CHECK(store.get(ctx, key) == std::string(100'000, static_cast<char>('A' + winner[name])));
  }
}

// Puts and removals beside each other: what was put and not removed is there.
inline void check_coming_and_going(ObjectStore& store) {
  TaskGroup group(Context{});
  for (int thread = 0; thread < 4; ++thread) {
    group.spawn([&store, thread](const Context& ctx) {
      for (int round = 0; round < 50; ++round) {
        auto key = "deep/er/" + std::to_string(thread);
        if (!store.put_if_absent(ctx, key, "x") || store.get(ctx, key) != "x")
          fail(ErrorKind::internal, "{} was not put", key);
        store.list(ctx, "deep/");
        store.remove(ctx, key);
      }
    });
  }
  CHECK_NOTHROW(group.wait());
  CHECK(store.list(Context{}, "").empty());
}

inline void check_stopping(ObjectStore& store) {
  std::stop_source stop;
  stop.request_stop();
  const Context stopped{stop.get_token()};
  CHECK(kind_thrown_by([&] { store.put_if_absent(stopped, "s", "x"); }) == ErrorKind::cancelled);
  CHECK(kind_thrown_by([&] { store.list(stopped, ""); }) == ErrorKind::cancelled);
  const Context late{{}, Clock::now()};
  CHECK(kind_thrown_by([&] { store.put_if_absent(late, "s", "x"); }) == ErrorKind::timed_out);
  CHECK(kind_thrown_by([&] { store.get(late, "s"); }) == ErrorKind::timed_out);
  CHECK_FALSE(store.head(Context{}, "s").has_value());
}

inline void run_store_suite(const StoreFactory& make) {
  auto store = make();
  SUBCASE("content") {
    check_content(*store);
  }
  SUBCASE("missing objects") {
    check_missing(*store);
  }
  SUBCASE("ranges") {
    check_ranges(*store);
  }
  SUBCASE("a large object") {
    check_large_object(*store);
  }
  SUBCASE("removing") {
    check_removing(*store);
  }
  SUBCASE("listing") {
    check_listing(*store);
  }
  SUBCASE("keys") {
    check_keys(*store);
  }
  SUBCASE("one winner") {
    check_race(*store);
  }
  SUBCASE("coming and going") {
    check_coming_and_going(*store);
  }
  SUBCASE("stopping") {
    check_stopping(*store);
  }
}

}  // namespace kb::storage
