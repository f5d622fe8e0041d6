#include "engine/fetcher.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/log.h"
#include "engine/topic_id.h"

namespace kb::engine {
namespace {

std::string name_of(const FetchCursor& cursor) {
  return fmt::format("{}/{} at offset {}", cursor.stream.topic, cursor.stream.partition, cursor.position);
}

std::vector<kafka::AbortedTransaction> aborted_of(const kafka::FetchResponse::Partition& answer) {
  std::vector<kafka::AbortedTransaction> aborted;
  if (answer.aborted_transactions)
    for (const auto& a : *answer.aborted_transactions)
      aborted.push_back({.producer_id = a.producer_id, .first_offset = a.first_offset});
  return aborted;
}

bool means_other_leader(kafka::ErrorCode code) {
  using enum kafka::ErrorCode;
  return code == not_leader_or_follower || code == leader_not_available || code == fenced_leader_epoch ||
         code == unknown_leader_epoch || code == unknown_topic_or_partition || code == unknown_topic_id ||
         code == inconsistent_topic_id || code == replica_not_available || code == kafka_storage_error ||
         code == broker_not_available;
}

}  // namespace

FetchScheduler::Limits scheduler_limits(const FetchSettings& settings) {
  return {.workers_per_broker = settings.workers,
          .turns_per_worker = settings.fetches_in_flight_max,
          .turns_at_once_max = settings.in_flight_bytes_max / settings.answer_bytes_min,
          .partitions_at_once_max = settings.partitions_at_once_max,
          .follows = settings.follows};
}

void Fetcher::run(const Context& ctx) {
  for (;;) {
    if (flights_.empty() && !ask(ctx)) return;
    ask_ahead(ctx);
    receive(ctx);
  }
}

bool Fetcher::ask(const Context& ctx) {
  auto turn = shared_.scheduler.take(ctx, place_);
  if (turn.cursors.empty()) return false;
  send(ctx, std::move(turn), shared_.budget.acquire(ctx, answer_bytes()));
  return true;
}

// Only where answers bring much: behind one that the broker holds back until there is something, the next
// request would wait as well. And only with memory that is free: whoever waits for memory must not hold any.
void Fetcher::ask_ahead(const Context& ctx) {
  const auto& settings = shared_.settings;
  while (much_to_read_ && flights_.size() < settings.fetches_in_flight_max) {
    auto lease = shared_.budget.try_acquire(answer_bytes());
    if (!lease) return;
    auto turn = shared_.scheduler.try_take(place_);
    if (turn.cursors.empty() || !send(ctx, std::move(turn), std::move(*lease))) return;
  }
}

bool Fetcher::send(const Context& ctx, Turn turn, ByteBudget::Lease lease) {
  if (turn.node_id < 0) {
    take_leaderless(ctx, turn);
    end_turn(ctx, std::move(turn));
    return false;
  }
  CircuitBreakers::Permit permit;
  try {
    permit = shared_.cluster.admit(turn.node_id);
    auto broker = connection(ctx, turn.node_id);
    broker->send(ctx, request_for(turn, lease.bytes()));
    flights_.push_back({std::move(turn), std::move(lease), std::move(broker), std::move(permit)});
    return true;
  } catch (const Error& error) {
    ctx.check();
    permit.failed(error);
    all_failed(turn, error);
    end_turn(ctx, std::move(turn));
    return false;
  }
}

// Only asking is tried again. What fails once an answer is taken apart ends the run: cursors have moved.
void Fetcher::receive(const Context& ctx) {
  if (flights_.empty()) return;
  auto flight = std::move(flights_.front());
  flights_.pop_front();
  std::optional<kafka::Reply<kafka::FetchResponse>> reply;
  // Of several requests on a connection that breaks only the first one counts as a failure of the broker.
  const bool was_usable = flight.connection->usable();
  try {
    reply = flight.connection->receive<kafka::FetchRequest>(ctx);
    flight.permit.succeeded();
    kafka::require(reply->message.error_code, fmt::format("Fetch from broker {}", flight.turn.node_id));
  } catch (const Error& error) {
    ctx.check();
    reply.reset();
    if (was_usable) flight.permit.failed(error);
    all_failed(flight.turn, error);
  }
  if (reply) {
    flight.lease.resize(reply->buffer->capacity());
    much_to_read_ = reply->buffer->view().size() >= shared_.settings.answer_bytes_min / 4;
    ask_ahead(ctx);
    // A quota that is used up makes answers empty for a while (KIP-219): that is no replica's fault.
    if (reply->message.throttle_time_ms > 0)
      for (auto& cursor : flight.turn.cursors) cursor.moved_at = Clock::now();
    const auto begun = Clock::now();
    take_answer(ctx, flight.turn, *reply, std::move(flight.lease));
    if (shared_.settings.follows) rest(flight.turn, begun, reply->buffer->view().size());
  }
  end_turn(ctx, std::move(flight.turn));
}

void Fetcher::end_turn(const Context& ctx, Turn turn) {
  look_for_leaders(ctx, turn);
  auto finished = static_cast<std::uint64_t>(
      std::count_if(turn.cursors.begin(), turn.cursors.end(), [](const FetchCursor& c) { return c.done(); }));
  shared_.progress.partitions_done += finished;
  shared_.scheduler.give_back(std::move(turn));
}

// One look for all that failed in a turn.
void Fetcher::look_for_leaders(const Context& ctx, Turn& turn) {
  if (stale_topics_.empty()) {
    if (std::exchange(leaders_stale_, false)) shared_.scheduler.leaders_changed();
    return;
  }
  const std::vector<std::string> topics(stale_topics_.begin(), stale_topics_.end());
  shared_.cluster.refresh(ctx, topics);
  for (auto& cursor : turn.cursors)
    if (stale_topics_.contains(cursor.stream.topic))
      cursor.leader_epoch = shared_.cluster.leader_epoch(cursor.stream.topic, cursor.stream.partition);
  stale_topics_.clear();
  shared_.scheduler.leaders_changed();
}

std::shared_ptr<kafka::Connection> Fetcher::connection(const Context& ctx, std::int32_t node_id) {
  const bool as_before = connection_ && connected_to_ == node_id && connection_->usable() &&
                         (connection_->in_flight() > 0 || !connection_->closed_by_broker());
  if (as_before) return connection_;
  connection_.reset();
  connection_ = std::make_shared<kafka::Connection>(shared_.cluster.open(ctx, node_id));
  connected_to_ = node_id;
  return connection_;
}

std::size_t Fetcher::answer_bytes() const {
  const auto& settings = shared_.settings;
  auto fetches = std::clamp<std::size_t>(shared_.scheduler.unread_count(), 1,
                                         settings.workers * settings.fetches_in_flight_max);
  return std::clamp(settings.in_flight_bytes_max / fetches, settings.answer_bytes_min,
                    settings.answer_bytes_max);
}

kafka::FetchRequest Fetcher::request_for(const Turn& turn, std::size_t bytes) const {
  const auto& settings = shared_.settings;
  auto max_bytes = static_cast<std::int32_t>(bytes);
  auto per_partition =
      std::max<std::int32_t>(max_bytes / static_cast<std::int32_t>(turn.cursors.size()), 1024 * 1024);
  kafka::FetchRequest request;
  request.max_wait_ms = static_cast<std::int32_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(settings.answer_wait).count());
  request.min_bytes = 1;
  request.max_bytes = max_bytes;
  request.isolation_level = kafka::IsolationLevel::read_committed;
  // A request names a rack for all that it asks for; without one a leader gives what it has itself.
  const auto may_change = [now = Clock::now()](auto& cursor) { return cursor.replica.may_change(now); };
  if (std::ranges::all_of(turn.cursors, may_change)) request.rack_id = settings.client_rack;
  for (const auto& cursor : turn.cursors) {
    if (request.topics.empty() || request.topics.back().topic != cursor.stream.topic)
      request.topics.push_back({.topic = cursor.stream.topic, .topic_id = cursor.topic_id, .partitions = {}});
    request.topics.back().partitions.push_back({.partition = cursor.stream.partition,
                                                .current_leader_epoch = cursor.leader_epoch,
                                                .fetch_offset = cursor.position,
                                                .last_fetched_epoch = cursor.last_epoch,
                                                .partition_max_bytes = std::min(per_partition, max_bytes)});
  }
  return request;
}

void Fetcher::rest(Turn& turn, Clock::time_point begun, std::size_t answer_bytes) const {
  const auto& settings = shared_.settings;
  auto had_none = [&](const FetchCursor& cursor) { return cursor.moved_at < begun; };
  const auto news = std::stable_partition(turn.cursors.begin(), turn.cursors.end(), had_none);
  if (news == turn.cursors.end() || answer_bytes >= settings.answer_bytes_max / 4) return;
  for (auto& cursor : turn.cursors)
    cursor.not_before = std::max(cursor.not_before, begun + settings.rest_after_little);
}

void Fetcher::take_answer(const Context& ctx, Turn& turn, const kafka::Reply<kafka::FetchResponse>& reply,
                          ByteBudget::Lease lease) {
  const bool by_id = !reply.message.responses.empty() && reply.message.responses.front().topic.empty();
  const auto key_of = [&](const std::string& name, const kafka::Uuid& id) {
    return by_id ? std::string(id.begin(), id.end()) : name;
  };
  std::map<std::pair<std::string, std::int32_t>, FetchCursor*> asked;
  for (auto& cursor : turn.cursors)
    asked[{key_of(cursor.stream.topic, cursor.topic_id), cursor.stream.partition}] = &cursor;
  std::map<SegmentClass, BlockBatch> batches;
  std::size_t owned_bytes = 0;
  bool holds_answer = false, moved = reply.message.throttle_time_ms > 0;
  std::uint64_t raw_bytes = 0, records = 0;
  told_endpoints_ = reply.message.node_endpoints;
  for (const auto& topic : reply.message.responses) {
    for (const auto& partition : topic.partitions) {
      auto it = asked.find({key_of(topic.topic, topic.topic_id), partition.partition_index});
      if (it == asked.end())
        fail(ErrorKind::corrupt, "Fetch answer holds {}/{}, which was not asked for",
             by_id ? to_hex(topic.topic_id) : topic.topic, partition.partition_index);
      const auto before = it->second->position;
      auto built = take_partition(ctx, turn.node_id, *it->second, partition, reply.buffer);
      moved |= it->second->position != before;
      raw_bytes += built.raw_bytes;
      records += built.records;
      if (built.blocks.empty()) continue;
      auto& batch = batches[it->second->segment_class];
      batch.segment_class = it->second->segment_class;
      std::move(built.blocks.begin(), built.blocks.end(), std::back_inserter(batch.blocks));
      owned_bytes += built.owned_bytes;
      holds_answer |= built.holds_answer;
    }
  }
  if (!shared_.settings.follows) check_stalls(turn, moved);
  lease.resize((holds_answer ? lease.bytes() : 0) + owned_bytes);
  for (auto& [segment_class, batch] : batches) {
    batch.lease = std::exchange(lease, {});  // the first class carries the share of all
    shared_.sink(ctx, std::move(batch));
  }
  shared_.progress.bytes_done += raw_bytes;
  shared_.bytes_per_second.acquire(ctx, reply.buffer->view().size());  // also what was not stored
  shared_.records_per_second.acquire(ctx, records);
}

BuiltBlocks Fetcher::take_partition(const Context& ctx, std::int32_t node_id, FetchCursor& cursor,
                                    const kafka::FetchResponse::Partition& answer,
                                    const std::shared_ptr<const Buffer>& buffer) {
  if (cursor.replica.refused(node_id, answer, Clock::now())) {
    LOG_DEBUG("fetching {}: broker {}, which does not lead it, cannot give it", name_of(cursor), node_id);
    return {};
  }
  if (auto change = change_of(ctx, cursor, answer)) {
    refuse_if_followed(*change);
    return skip_lost(cursor, std::move(*change));
  }
  if (answer.error_code != kafka::ErrorCode::none) {
    partition_failed(cursor, answer);
    return {};
  }
  auto built = build_blocks({.stream = cursor.stream,
                             .position = cursor.position,
                             .end = cursor.end,
                             .records = answer.records.bytes,
                             .aborted_transactions = aborted_of(answer),
                             .owner = buffer},
                            shared_.blocks);
  cursor.failures.reset();
  cursor.missing_since.reset();
  if (!built.blocks.empty())
    cursor.last_epoch = std::max(cursor.last_epoch, built.blocks.back().block.leader_epoch);
  note_lag(cursor, answer, built);
  if (built.position != cursor.position) {
    shared_.progress.records_done += static_cast<std::uint64_t>(built.position - cursor.position);
    cursor.position = built.position;
    cursor.moved_at = Clock::now();
  }
  cursor.replica.answered(node_id, answer, cursor.moved_at, !shared_.settings.follows, Clock::now());
  return built;
}

void Fetcher::note_lag(const FetchCursor& cursor, const kafka::FetchResponse::Partition& answer,
                       const BuiltBlocks& built) const {
  if (!shared_.lags) return;
  LagTable::Seen seen{.log_end = answer.last_stable_offset, .position = built.position};
  for (const auto& pending : built.blocks)
    seen.read_until_ms = std::max(seen.read_until_ms, pending.block.max_timestamp);
  seen.records = static_cast<std::uint64_t>(built.position - cursor.position);
  seen.bytes = built.raw_bytes;
  shared_.lags->note(cursor.stream.topic, cursor.stream.partition, seen);
}

// Whether the log is not what the plan saw any more.
std::optional<LogChange> Fetcher::change_of(const Context& ctx, FetchCursor& cursor,
                                            const kafka::FetchResponse::Partition& answer) {
  using enum kafka::ErrorCode;
  switch (answer.error_code) {
    case none:
      if (answer.diverging_epoch.end_offset < 0) return std::nullopt;
      return after_divergence(cursor, answer.diverging_epoch.end_offset);
    case offset_out_of_range:
      return after_out_of_range(ctx, shared_.cluster, cursor);
    case unknown_topic_or_partition:
    case unknown_topic_id:
    case inconsistent_topic_id:
      return after_unknown_topic(ctx, shared_.cluster, cursor);
    default:
      return std::nullopt;
  }
}

// Who follows a log has no end up to which it could be called lost, and plans for the new one.
void Fetcher::refuse_if_followed(const LogChange& change) const {
  if (change.event && shared_.settings.follows)
    throw Error(ErrorKind::conflict, archive::to_string(*change.event));
}

// What is gone is recorded as such, and the run goes on behind it.
BuiltBlocks Fetcher::skip_lost(FetchCursor& cursor, LogChange change) {
  LOG_WARN("{}: offsets up to {} are gone before they were read{}", name_of(cursor), change.next - 1,
           change.event ? ": " + archive::to_string(*change.event) : "");
  if (change.event) shared_.note(std::move(*change.event));
  BuiltBlocks built;
  built.blocks.push_back(lost_block(cursor.stream, cursor.position, change.next));
  const auto lost = static_cast<std::uint64_t>(change.next - cursor.position);
  shared_.progress.records_done += lost;
  shared_.progress.lost_offsets += lost;
  cursor.position = change.next;
  cursor.last_epoch = -1;
  cursor.moved_at = Clock::now();
  cursor.failures.reset();
  return built;
}

// Nobody to ask: a topic that no broker knows for long was deleted.
void Fetcher::take_leaderless(const Context& ctx, Turn& turn) {
  std::map<SegmentClass, BlockBatch> batches;
  for (auto& cursor : turn.cursors) {
    std::optional<LogChange> change;
    Error why(ErrorKind::unavailable, "the partition has no leader");
    try {
      change = after_unknown_topic(ctx, shared_.cluster, cursor);
    } catch (const Error& error) {
      ctx.check();
      why = error;
    }
    if (!change) {
      shared_.scheduler.failed(cursor, why.while_doing("fetching " + name_of(cursor)));
      stale_topics_.insert(cursor.stream.topic);
      continue;
    }
    refuse_if_followed(*change);
    auto& batch = batches[cursor.segment_class];
    batch.segment_class = cursor.segment_class;
    for (auto& block : skip_lost(cursor, std::move(*change)).blocks) batch.blocks.push_back(std::move(block));
  }
  for (auto& [segment_class, batch] : batches) shared_.sink(ctx, std::move(batch));
}

void Fetcher::partition_failed(FetchCursor& cursor, const kafka::FetchResponse::Partition& answer) {
  const auto code = answer.error_code;
  // An offset that is in the log after all: what the broker knows of epochs does not reach so far back.
  const bool again = code == kafka::ErrorCode::offset_out_of_range;
  if (again) cursor.last_epoch = -1;
  Error error(again || kafka::retriable(code) ? ErrorKind::unavailable : kafka::kind(code),
              fmt::format("fetching {}: {}", name_of(cursor), kafka::describe(code)));
  shared_.scheduler.failed(cursor, error);
  if (!means_other_leader(code)) return;
  const auto& [topic, partition, lineage] = cursor.stream;
  if (!shared_.cluster.learn_leader(topic, partition, answer.current_leader, told_endpoints_)) {
    stale_topics_.insert(topic);
    return;
  }
  cursor.leader_epoch = answer.current_leader.leader_epoch;
  leaders_stale_ = true;
}

// The broker could not be asked at all: its partitions rest, and the metadata may say who leads them now.
// What was read from it in the place of a leader is read from there.
void Fetcher::all_failed(Turn& turn, const Error& error) {
  for (auto& cursor : turn.cursors) {
    if (cursor.replica.is(turn.node_id)) {
      cursor.replica.avoid(Clock::now());
      continue;
    }
    shared_.scheduler.failed(cursor, error.while_doing("fetching " + name_of(cursor)));
    stale_topics_.insert(cursor.stream.topic);
  }
  LOG_DEBUG("fetching from broker {} failed, trying again: {}", turn.node_id, error.what());
}

// A partition of which nothing came is only known to stall when nothing came of the others either: an answer
// is full with what stands first, and the rest waits for its turn, for hours where a limit is low. What a
// quota makes empty (KIP-219) is no stall.
void Fetcher::check_stalls(Turn& turn, bool moved) const {
  const auto now = Clock::now();
  for (auto& cursor : turn.cursors) {
    const bool had_none = !moved && cursor.failures.failures() == 0;
    if (!had_none) cursor.stalled_since.reset();
    if (!had_none || cursor.done()) continue;
    if (!cursor.stalled_since) cursor.stalled_since = now;
    if (now - *cursor.stalled_since >= shared_.settings.stall_max) fail_stalled(cursor);
  }
}

void Fetcher::fail_stalled(const FetchCursor& cursor) const {
  throw Error(
      ErrorKind::timed_out,
      fmt::format("{}: the broker has sent nothing for {} s, though the log ends at {}", name_of(cursor),
                  std::chrono::duration_cast<std::chrono::seconds>(shared_.settings.stall_max).count(),
                  cursor.end),
      "a transaction that hangs holds the last stable offset back: kafka-transactions.sh find-hanging");
}

}  // namespace kb::engine
