#include "engine/continuous.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "archive/layout.h"
#include "base/backup_id.h"
#include "base/error.h"
#include "base/log.h"
#include "base/quantities.h"
#include "base/unix_time.h"
#include "engine/backup_run.h"
#include "engine/breaker_settings.h"
#include "engine/cluster_settings.h"
#include "engine/follow_pipeline.h"
#include "engine/held_back.h"
#include "engine/open_plan.h"
#include "engine/open_runs.h"

namespace kb::engine {
namespace {

using namespace std::chrono_literals;

constexpr Duration look_at_topics_every = 5s, retention_every = 1h;
constexpr Duration vanished_after = 10s;
constexpr Duration committing_time = 15s;  // of sealing_time_max
constexpr RetryPolicy between_sessions{
    .backoff_first = 1s, .backoff_max = 30s, .give_up_after = Duration::max()};

void add_to(archive::RunTotals& sum, const archive::RunTotals& more) {
  sum.records += more.records;
  sum.raw_bytes += more.raw_bytes;
  sum.stored_bytes += more.stored_bytes;
  sum.segments += more.segments;
  sum.aborted += more.aborted;
  sum.control += more.control;
  sum.compacted += more.compacted;
  sum.lost += more.lost;
}

// The brokers may be there again later; a log that is another one is planned for afresh.
bool may_go_on(const Error& error) {
  return error.retryable();
}

// A run in work.
struct OpenRun {
  archive::Plan opening;
  archive::ShardWriter shard;
  std::optional<Base> base;
};

class Follower {
 public:
  Follower(const Context& ctx, const BackupRequest& request, const OpenStore& open_store,
           ProgressCounters& progress)
      : ctx_(ctx),
        request_(request),
        open_store_(open_store),
        progress_(progress),
        limits_{RateLimiter(rates().bytes_per_sec), RateLimiter(rates().records_per_sec)} {}

  ContinuousReport run() {
    Backoff backoff(between_sessions);
    while (!ctx_.stop.stop_requested()) {
      const auto runs_before = runs_opened_;
      try {
        session();
      } catch (const Error& error) {
        if (ctx_.stop.stop_requested() && error.kind() == ErrorKind::cancelled) break;
        if (ctx_.stop.stop_requested() || runs_opened_ == 0 || !may_go_on(error)) throw;
        if (runs_opened_ > runs_before + 1) backoff.reset();
        LOG_WARN("the continuous backup goes on in a moment: {}", error.what());
        wait_after(backoff, error);
      }
    }
    report_.warnings = breaker_warnings(*progress_.breakers);
    return std::move(report_);
  }

 private:
  api::RateLimiting rates() const { return api::rate_limiting_or_default(request_.spec.rate_limiting); }
  void wait_after(Backoff& backoff, const Error& error) {
    try {
      backoff.wait_or_throw(ctx_, error);
    } catch (const Error& stopped) {
      if (stopped.kind() != ErrorKind::cancelled) throw;
    }
  }

  void session();
  void open_archive(kafka::Cluster& cluster);
  OpenRun open_next(std::optional<Asked> asked);
  std::string next_id() const;
  Asked ask(const std::string& id, const std::optional<archive::Set>& held);
  Asked ask_of_base(const std::string& id, const std::optional<Base>& base);
  std::optional<Asked> follow_run(OpenRun& run);
  std::optional<Asked> watch(const OpenRun& run, const FollowPipeline& pipeline);
  ChosenTopics topics_now(const OpenRun& run);
  std::optional<Asked> look(const OpenRun& run, const FollowPipeline& pipeline, bool point_is_due);
  void note_coverage(const archive::Set& held);
  void close(const Context& ctx, const OpenRun& run, const archive::Index& stored);
  archive::ClosingFacts facts_for(const archive::Plan& opening, const archive::Index& stored) const;
  void note_point(archive::Set set);
  void look_at_archive(const Context& ctx);
  void apply_retention_now_and_then(const Context& ctx);

  const Context& ctx_;
  const BackupRequest& request_;
  const OpenStore& open_store_;
  ProgressCounters& progress_;
  FollowPipeline::Limits limits_;
  ContinuousReport report_;
  std::uint64_t runs_opened_ = 0;
  std::optional<Clock::time_point> vanished_since_;
  std::optional<Clock::time_point> retained_at_;
  RaisedStarts raised_;

  // of a session
  std::optional<archive::Archive> archive_;
  std::optional<kafka::Cluster> cluster_;
  std::optional<Asked> last_asked_;
  std::int64_t covered_ms_ = 0;  // the archive has all that the logs had at this time; 0: never yet
};

// From the connection to the cluster to the first trouble.
void Follower::session() {
  archive_ = open_existing(ctx_, request_, open_store_);
  if (archive_) {
    settle_open_runs(ctx_, *archive_);
    look_at_archive(ctx_);
  }
  auto settings = cluster_settings(request_.spec.kafka_cluster, request_.secrets);
  guard(settings, request_.spec.circuit_breaker, progress_.breakers);
  cluster_.emplace(std::move(settings));
  cluster_->connect(ctx_);
  open_archive(*cluster_);
  std::optional<Asked> asked;
  while (!ctx_.stop.stop_requested()) {
    auto run = open_next(std::move(asked));
    ++runs_opened_;
    asked = follow_run(run);
    if (!ctx_.stop.stop_requested()) apply_retention_now_and_then(ctx_);
  }
}

// What can be restored, whoever made it: another worker may have ended before it could say so.
void Follower::look_at_archive(const Context& ctx) {
  report_.newest = archive_->newest_set(ctx);
  std::uint64_t bytes = 0;
  for (const auto& object : archive_->store().list(ctx, archive::segments_prefix())) bytes += object.bytes;
  progress_.points.found(archive_->set_ids(ctx), bytes,
                         report_.newest ? report_.newest->capture.captured_at_ms : 0);
}

// Nothing is written before the cluster has the topics.
void Follower::open_archive(kafka::Cluster& cluster) {
  if (archive_) return refuse_other_cluster(ctx_, *archive_, cluster.cluster_id());
  choose_topics_of(ctx_, cluster, request_.spec);
  archive_ = archive::Archive::open_or_create(ctx_, open_store_(true), request_.owner, unix_now_ms(),
                                              request_.adopt_archive);
  look_at_archive(ctx_);
}

// Ids grow, whatever the clock does.
std::string Follower::next_id() const {
  auto time = std::chrono::sys_seconds(std::chrono::seconds(unix_now_ms() / 1000));
  const auto catalog = archive_->catalog(ctx_);
  for (const auto* ids : {&catalog.decided, &catalog.deleted, &catalog.undecided})
    if (!ids->empty())
      if (auto used = time_of_backup_id(ids->back())) time = std::max(time, *used + 1s);
  return make_backup_id(request_.owner.name, time);
}

Asked Follower::ask(const std::string& id, const std::optional<archive::Set>& held) {
  auto asked =
      ask_cluster_for(ctx_, *cluster_, request_, id, archive_->header().archive_id, held, covered_ms_);
  const auto& capture = asked.plan.capture;
  progress_.held_back_offsets = held_back_offsets(capture);
  const auto hanging = hanging_transactions(capture);
  if (progress_.hanging_transactions.exchange(hanging) < hanging)
    for (const auto& warning : hanging_warnings(capture)) LOG_WARN("{}", warning);
  return asked;
}

Asked Follower::ask_of_base(const std::string& id, const std::optional<Base>& base) {
  covered_ms_ = base ? base->set.capture.captured_at_ms : 0;
  return ask(id, base ? std::optional(base->set) : std::nullopt);
}

// `asked` is what the cluster said for this run while the one before was in work.
OpenRun Follower::open_next(std::optional<Asked> asked) {
  for (;;) {
    settle_open_runs(ctx_, *archive_);
    const auto id = asked ? asked->plan.capture.backup_id : next_id();
    abandon_older(ctx_, *archive_, id);
    auto base = pin_base(ctx_, *archive_, id);
    const auto base_id = base ? base->set.capture.backup_id : "";
    const bool fits = asked && base && report_.newest && base_id == report_.newest->capture.backup_id;
    if (!fits) asked = ask_of_base(id, base);
    last_asked_ = *asked;
    auto opening = make_opening(*asked, base, raised_);
    if (auto shard = archive::open_run(ctx_, *archive_, opening)) {
      report_.still_open = id;
      return {.opening = std::move(opening), .shard = std::move(*shard), .base = std::move(base)};
    }
    asked.reset();
    ctx_.check();
  }
}

// Gives what the cluster says for the next run; nothing when it was stopped.
std::optional<Asked> Follower::follow_run(OpenRun& run) {
  FollowPipeline pipeline(ctx_, *cluster_, *archive_, run.opening, run.shard, request_, limits_, progress_);
  std::optional<Asked> asked;
  std::optional<Error> failure;
  try {
    asked = watch(run, pipeline);
  } catch (const Error& error) {
    failure = error;
  }
  const auto reading_failure = pipeline.stop_reading();
  const auto end = Clock::now() + sealing_time_max;
  pipeline.finish(end - committing_time);
  close({.stop = {}, .deadline = end}, run, pipeline.durable());
  if (failure) throw Error(*failure);
  if (!reading_failure) return asked;
  if (reading_failure->kind() != ErrorKind::conflict) throw Error(*reading_failure);
  // The log is another one than was followed: the next run begins a new lineage of it.
  throw Error(ErrorKind::unavailable, reading_failure->what());
}

// Until a restore point is due, the topics have changed, or reading has ended.
std::optional<Asked> Follower::watch(const OpenRun& run, const FollowPipeline& pipeline) {
  const auto interval = std::chrono::seconds(request_.spec.restore_point_interval_secs);
  auto next_point = Clock::now() + interval;
  auto next_look = Clock::now() + look_at_topics_every;
  while (pipeline.wait_until(std::min(next_point, next_look))) {
    const auto now = Clock::now();
    const bool point_is_due = now >= next_point;
    try {
      if (auto asked = look(run, pipeline, point_is_due)) return asked;
      if (point_is_due) next_point = now + interval;
    } catch (const Error& error) {
      ctx_.check();
      if (!error.retryable()) throw;
      LOG_WARN("looking at the topics: {}; trying again", error.what());
      if (point_is_due) next_point = now + std::min<Duration>(interval, look_at_topics_every);
    }
    next_look = now + look_at_topics_every;
  }
  return std::nullopt;
}

// A topic that one broker does not know may be one that it does not know yet, or is made anew just now.
ChosenTopics Follower::topics_now(const OpenRun& run) {
  ChosenTopics topics;
  std::optional<Error> missing;
  try {
    topics = choose_topics_of(ctx_, *cluster_, request_.spec);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) throw;
    missing = error;
  }
  const auto gone = missing ? std::string(missing->what()) : vanished_topic(topics, run.opening.capture);
  if (gone.empty()) {
    vanished_since_.reset();
    return topics;
  }
  if (!vanished_since_) vanished_since_ = Clock::now();
  if (Clock::now() - *vanished_since_ < vanished_after)
    fail(ErrorKind::unavailable, "a topic is not there at the moment: {}", gone);
  if (missing) throw Error(*missing);
  return topics;
}

// Gives an answer when the run is to be closed.
std::optional<Asked> Follower::look(const OpenRun& run, const FollowPipeline& pipeline, bool point_is_due) {
  const auto topics = topics_now(run);
  if (!point_is_due) {
    if (!are_other_topics(topics, run.opening.capture)) return std::nullopt;
    LOG_INFO("topics or partitions have appeared or vanished: a restore point is made");
  }
  const auto stored = pipeline.durable();
  const auto held = held_by(run.opening, stored);
  note_coverage(held);
  auto asked = ask(next_id(), held);
  last_asked_ = asked;
  const auto facts = facts_for(run.opening, stored);
  const bool is_new = stored.block_count() > 0 || are_other_topics(asked.chosen, run.opening.capture) ||
                      says_something_new(archive::closed_plan(run.opening, stored, facts).capture, run.base);
  if (!is_new) return std::nullopt;
  return asked;
}

void Follower::note_coverage(const archive::Set& held) {
  if (last_asked_ && covers(held.capture, last_asked_->plan.capture)) covered_ms_ = last_asked_->time_ms();
}

archive::ClosingFacts Follower::facts_for(const archive::Plan& opening, const archive::Index& stored) const {
  const auto& capture = last_asked_->plan.capture;
  const bool has_all = covers(archive::closed_plan(opening, stored, std::nullopt).capture, capture);
  return {.captured_at_ms = has_all ? capture.captured_at_ms : covered_ms_,
          .groups = capture.groups,
          .topics = capture.topics,
          .held_back = capture.held_back,
          .acls = capture.acls,
          .client_quotas = capture.client_quotas};
}

// Also when it was stopped: what is durable becomes a restore point. Needs no cluster.
void Follower::close(const Context& ctx, const OpenRun& run, const archive::Index& stored) {
  const auto& id = run.opening.capture.backup_id;
  const auto plan = archive::closed_plan(run.opening, stored, facts_for(run.opening, stored));
  if (stored.block_count() == 0 && !says_something_new(plan.capture, run.base)) {
    archive_->decide(ctx, id, {.abandoned = "nothing came"});
    report_.still_open.clear();
    return;
  }
  auto decision = archive::commit(ctx, *archive_, archive_->put_plan(ctx, plan), unix_now_ms());
  if (!decision.set) fail(ErrorKind::conflict, "backup {} was abandoned: {}", id, decision.abandoned);
  report_.still_open.clear();
  note_point(std::move(*decision.set));
}

void Follower::note_point(archive::Set set) {
  const auto& totals = set.totals;
  LOG_INFO("restore point {}: {} records, {}", set.capture.backup_id, format_count(totals.records),
           format_bytes(totals.stored_bytes));
  ++report_.restore_points;
  add_to(report_.totals, totals);
  progress_.points.made(set.capture.backup_id, totals.stored_bytes, set.capture.captured_at_ms);
  report_.newest = std::move(set);
}

void Follower::apply_retention_now_and_then(const Context& ctx) {
  const auto& retention = request_.spec.retention;
  if (!retention || !retention->enabled || !report_.newest) return;
  const auto now = Clock::now();
  if (retained_at_ && now - *retained_at_ < retention_every) return;
  retained_at_ = now;
  const auto& newest = *report_.newest;
  auto kept = request_.kept_backup_ids;
  kept.push_back(newest.capture.backup_id);
  report_.retention = apply_retention(ctx, *archive_, *retention, kept);
  progress_.retention.set(*report_.retention, unix_now_ms() / 1000);
  if (retention->max_age_days && !retention->dry_run) {
    const auto age_max_ms = std::int64_t{*retention->max_age_days} * 24 * 3600 * 1000;
    raised_ = starts_without_older(newest, archive_->load_index(ctx, newest), unix_now_ms() - age_max_ms);
  }
  look_at_archive(ctx);
}

}  // namespace

ContinuousReport follow(const Context& ctx, const BackupRequest& request, const OpenStore& open_store,
                        ProgressCounters& progress) {
  return Follower(ctx, request, open_store, progress).run();
}

}  // namespace kb::engine
