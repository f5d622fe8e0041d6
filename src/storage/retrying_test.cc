#include "storage/retrying.h"

#include "storage/memory.h"
#include "storage/store_suite.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::storage;

namespace {

constexpr RetryPolicy quick{std::chrono::microseconds(1), std::chrono::microseconds(10),
                            std::chrono::hours(1)};

// Fails the first `failures` calls of one kind, before or after they act.
struct Flaky {
  StoreOperation::Kind kind;
  ErrorKind error;
  int failures;
  int calls = 0;

  std::function<void(const StoreOperation&)> hook() {
    return [this](const StoreOperation& operation) {
      if (operation.kind == kind && calls++ < failures) throw Error(error, "no answer");
    };
  }
};

}  // namespace

TEST_CASE("retrying store") {
  run_store_suite([] { return std::make_shared<RetryingStore>(std::make_shared<MemoryStore>(), quick); });
}

TEST_CASE("retrying store: tries every operation again until it is done") {
  using Kind = StoreOperation::Kind;
  for (auto kind : {Kind::head, Kind::get, Kind::get_range, Kind::put_if_absent, Kind::remove, Kind::list}) {
    Flaky flaky{kind, ErrorKind::throttled, 3};
    RetryingStore store(std::make_shared<MemoryStore>(StoreHooks{.before = flaky.hook()}), quick);
    const Context ctx;
    CHECK(store.put_if_absent(ctx, "a", "12"));
    CHECK(store.head(ctx, "a")->bytes == 2);
    CHECK(store.get(ctx, "a") == "12");
    CHECK(store.get_range(ctx, "a", {1, 1})->view() == "2");
    CHECK(store.list(ctx, "").size() == 1);
    CHECK_NOTHROW(store.remove(ctx, "a"));
    CHECK(flaky.calls == 4);
  }
}

TEST_CASE("retrying store: what is not retryable fails at once, with the operation in the text") {
  Flaky flaky{StoreOperation::Kind::put_if_absent, ErrorKind::denied, 1};
  RetryingStore store(std::make_shared<MemoryStore>(StoreHooks{.before = flaky.hook()}), quick);
  CHECK_THROWS_WITH_AS(store.put_if_absent(Context{}, "a/b", "x"), "writing object a/b: no answer", Error);
  CHECK(flaky.calls == 1);
}

TEST_CASE("retrying store: gives up when the policy says so, with the last error") {
  Flaky flaky{StoreOperation::Kind::get, ErrorKind::unavailable, 1000};
  RetryPolicy impatient{std::chrono::microseconds(1), std::chrono::microseconds(1), Duration::zero()};
  RetryingStore store(std::make_shared<MemoryStore>(StoreHooks{.before = flaky.hook()}), impatient);
  CHECK(kind_thrown_by([&] { store.get(Context{}, "a"); }) == ErrorKind::unavailable);
  CHECK(flaky.calls == 1);
}

TEST_CASE("retrying store: a put whose answer was lost is ours when the content is ours") {
  const Context ctx;
  std::string large(3'000'000, 'x');
  std::vector<std::string_view> parts{"head", "", large, "tail"};
  Flaky flaky{StoreOperation::Kind::put_if_absent, ErrorKind::timed_out, 2};
  auto inner = std::make_shared<MemoryStore>(StoreHooks{.after = flaky.hook()});
  RetryingStore store(inner, quick);
  CHECK(store.put_if_absent(ctx, "a", parts));
  CHECK(inner->get(ctx, "a") == "head" + large + "tail");
  CHECK_FALSE(
      store.put_if_absent(ctx, "a", parts));  // a second put of the same is not ours: no answer was lost
}

TEST_CASE("retrying store: a put that failed and then finds somebody else's object has lost") {
  const Context ctx;
  for (const std::string theirs : {"longer than ours", "ourz", ""}) {
    Flaky flaky{StoreOperation::Kind::put_if_absent, ErrorKind::unavailable, 1};
    auto inner = std::make_shared<MemoryStore>(StoreHooks{.before = flaky.hook()});
    inner->overwrite("a", theirs);
    RetryingStore store(inner, quick);
    CHECK_FALSE(store.put_if_absent(ctx, "a", "ours"));
    CHECK(inner->get(ctx, "a") == theirs);
  }
}

TEST_CASE("retrying store: an answer that says nothing was done leaves no doubt") {
  Flaky flaky{StoreOperation::Kind::put_if_absent, ErrorKind::throttled, 1};
  auto inner = std::make_shared<MemoryStore>(StoreHooks{.before = flaky.hook()});
  inner->overwrite("a", "same");
  CHECK_FALSE(RetryingStore(inner, quick).put_if_absent(Context{}, "a", "same"));
}

TEST_CASE("retrying store: the comparison is retried too") {
  Flaky put{StoreOperation::Kind::put_if_absent, ErrorKind::timed_out, 1};
  Flaky read{StoreOperation::Kind::get_range, ErrorKind::unavailable, 2};
  auto inner = std::make_shared<MemoryStore>(StoreHooks{.before = read.hook(), .after = put.hook()});
  CHECK(RetryingStore(inner, quick).put_if_absent(Context{}, "a", "mine"));
  CHECK(read.calls == 3);
}
