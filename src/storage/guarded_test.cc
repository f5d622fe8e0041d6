#include "storage/guarded.h"

#include "storage/memory.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::storage;
using namespace std::chrono_literals;

namespace {

// A store that can be made to fail, and counts what reaches it.
class Fragile : public ObjectStore {
 public:
  std::string location() const override { return "memory:fragile"; }
  std::optional<ObjectInfo> head(const Context& ctx, const ObjectKey& key) override {
    reach(ctx);
    return store_.head(ctx, key);
  }
  std::optional<std::string> get(const Context& ctx, const ObjectKey& key) override {
    reach(ctx);
    return store_.get(ctx, key);
  }
  std::shared_ptr<Buffer> get_range(const Context& ctx, const ObjectKey& key, ByteRange range) override {
    reach(ctx);
    return store_.get_range(ctx, key, range);
  }
  using ObjectStore::put_if_absent;
  bool put_if_absent(const Context& ctx, const ObjectKey& key,
                     std::span<const std::string_view> parts) override {
    reach(ctx);
    return store_.put_if_absent(ctx, key, parts);
  }
  void remove(const Context& ctx, const ObjectKey& key) override {
    reach(ctx);
    store_.remove(ctx, key);
  }
  std::vector<ObjectInfo> list(const Context& ctx, std::string_view prefix) override {
    reach(ctx);
    return store_.list(ctx, prefix);
  }

  std::optional<ErrorKind> failing;
  bool hanging = false;
  int reached = 0;

 private:
  void reach(const Context& ctx) {
    ++reached;
    if (hanging) ctx.sleep_for(1h);
    if (failing) throw Error(*failing, "the store says no");
  }
  MemoryStore store_;
};

struct Case {
  std::shared_ptr<Fragile> fragile = std::make_shared<Fragile>();
  std::shared_ptr<CircuitBreakers> breakers = std::make_shared<CircuitBreakers>();
  GuardedStore store{fragile, breakers, 1h};
  Context ctx = Context{}.with_timeout(1min);

  explicit Case(Duration reset_timeout) {
    breakers->enable({.failure_threshold = 2, .reset_timeout = reset_timeout, .success_threshold = 1});
  }
  ErrorKind outcome(GuardedStore& asked) {
    try {
      asked.put_if_absent(ctx, "a", "x");
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::internal;
  }
};

}  // namespace

TEST_CASE("a store that keeps failing is not asked any more, whatever the operation") {
  Case c(1h);
  c.fragile->failing = ErrorKind::unavailable;
  CHECK(c.outcome(c.store) == ErrorKind::unavailable);
  CHECK_THROWS_AS(c.store.list(c.ctx, ""), Error);
  CHECK(c.fragile->reached == 2);
  c.fragile->failing.reset();
  CHECK_THROWS_AS(c.store.get(c.ctx, "a"), Error);
  CHECK_THROWS_AS(c.store.head(c.ctx, "a"), Error);
  CHECK_THROWS_AS(c.store.remove(c.ctx, "a"), Error);
  CHECK_THROWS_AS(c.store.get_range(c.ctx, "a", {}), Error);
  CHECK(c.outcome(c.store) == ErrorKind::unavailable);
  CHECK(c.fragile->reached == 2);
}

TEST_CASE("once its time has come it is asked again, and is as before when it answers") {
  Case c(0s);
  c.fragile->failing = ErrorKind::throttled;
  for (int i = 0; i < 3; ++i) CHECK(c.outcome(c.store) == ErrorKind::throttled);
  c.fragile->failing.reset();
  CHECK(c.store.put_if_absent(c.ctx, "a", "x"));
  CHECK(c.store.get(c.ctx, "a") == "x");
  CHECK(c.breakers->all().at(0).state == BreakerState::closed);
  CHECK(c.breakers->all().at(0).peer == "memory:fragile");
}

TEST_CASE("what is missing or denied is an answer") {
  Case c(1h);
  c.fragile->failing = ErrorKind::denied;
  for (int i = 0; i < 5; ++i) CHECK(c.outcome(c.store) == ErrorKind::denied);
  CHECK(c.fragile->reached == 5);
}

TEST_CASE("an operation that takes longer than its time has failed") {
  Case c(1h);
  c.fragile->hanging = true;
  GuardedStore impatient(c.fragile, c.breakers, 1ms);
  for (int i = 0; i < 2; ++i) CHECK(c.outcome(impatient) == ErrorKind::timed_out);
  CHECK(c.outcome(impatient) == ErrorKind::unavailable);
  CHECK(c.fragile->reached == 2);
}
