#include "engine/produce_worker.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/error.h"
#include "base/log.h"
#include "engine/log_batches.h"
#include "engine/produce_memory.h"

namespace kb::engine {

kafka::Uuid WrittenTopics::same_id(const std::string& topic, const kafka::Uuid& now) {
  std::lock_guard lock(mutex_);
  auto& known = ids_[topic];
  if (known == kafka::Uuid{}) known = now;
  if (now != kafka::Uuid{} && now != known)
    throw TargetLogDiffers(fmt::format("topic {} was deleted and created again while it was written", topic),
                           "run the restore again: it looks at the new topic as at any other");
  return known;
}

void ProduceWorker::run(const Context& ctx) {
  while (auto node_id = shared_.scheduler.begin(ctx)) {
    node_id_ = *node_id;
    if (node_id_ < 0)
      wait_for_leaders(ctx);
    else
      serve(ctx);
    connection_.reset();
    broker_fails_ = false;
    in_flight_.clear();  // of partitions that failed and were given back
    shared_.scheduler.end(node_id_);
  }
}

void ProduceWorker::serve(const Context& ctx) {
  for (;;) {
    ctx.check();
    look_up_leaders(ctx);
    let_go_of_moved();
    activate();
    if (retire()) continue;
    if (active_.empty()) return;
    const auto now = Clock::now();
    bool moved = settle_doubts(ctx);
    moved |= read_blocks(ctx, active_, shared_.budget, broker_fails_);
    moved |= send(ctx);
    if (moved || take_on_more()) continue;
    if (receive(ctx)) continue;
    // Nothing is on its way and nothing could be sent: memory or a resting partition is what it waits for.
    idle(ctx, active_, shared_.budget, broker_fails_, idle_until(active_, now));
    if (!shared_.scheduler.holders_wait()) continue;
    let_go_of_empty();
    if (active_.empty()) return;
  }
}

// Nobody to serve: asks who leads, once.
void ProduceWorker::wait_for_leaders(const Context& ctx) {
  const auto now = Clock::now();
  activate();
  for (auto& producer : active_) {
    failed(*producer, Error(ErrorKind::unavailable, "the partition has no leader"));
    stale_topics_.insert(producer->target().topic);
  }
  if (auto until = idle_until(active_, now); until > now) ctx.sleep_for(until - now);
  look_up_leaders(ctx);
  for (auto& producer : std::exchange(active_, {})) give_back(std::move(producer));
}

void ProduceWorker::activate() {
  if (shared_.scheduler.holders_wait(node_id_)) let_go_of_empty();
  const auto most = std::min(active_max_, shared_.settings.partitions_at_once_max);
  for (auto& producer : shared_.scheduler.take(node_id_, active_.size(), most)) {
    shared_.progress.topic.set(producer->target().topic);
    active_.push_back(std::move(producer));
  }
}

bool ProduceWorker::take_on_more() {
  const auto& settings = shared_.settings;
  if (took_on_more_ || active_max_ >= settings.partitions_at_once_max ||
      !shared_.scheduler.has_more(node_id_))
    return false;
  std::size_t bytes = 0;
  for (const auto& producer : active_) bytes += producer->bytes_in_flight();
  if (bytes >= settings.request_bytes_max * settings.requests_in_flight_max / 2) return false;
  active_max_ += active_max_ / 2;
  return took_on_more_ = true;
}

// Of those just taken on some may be done, when an earlier run has written them.
bool ProduceWorker::retire() {
  auto done = std::erase_if(active_, [&](auto& producer) {
    if (!producer->done()) return false;
    shared_.ends.add(producer->target(), producer->end_offset());
    return true;
  });
  shared_.scheduler.done(node_id_, done);
  shared_.progress.partitions_done += done;
  return done > 0;
}

bool ProduceWorker::leads(const PartitionProducer& producer) const {
  return shared_.cluster.leader(producer.target().topic, producer.target().partition) == node_id_;
}

// What is on its way keeps a partition here, even when another broker leads it by now; so do answers that are
// not told any more, as what they are about may be written as long as they have not come.
void ProduceWorker::let_go_of_moved() {
  let_go_unless([&](const auto& producer) {
    return producer->in_flight() > 0 || (producer->in_doubt() && !in_flight_.empty()) || leads(*producer);
  });
}

void ProduceWorker::let_go_of_empty() {
  let_go_unless([](const auto& producer) { return producer->holds_any(); });
}

template <class Stays>
void ProduceWorker::let_go_unless(Stays stays) {
  auto others = std::stable_partition(active_.begin(), active_.end(), stays);
  for (auto it = others; it != active_.end(); ++it) give_back(std::move(*it));
  active_.erase(others, active_.end());
}

void ProduceWorker::give_back(std::unique_ptr<PartitionProducer> producer) {
  shared_.scheduler.give_back(node_id_, std::move(producer));
}

void ProduceWorker::look_up_leaders(const Context& ctx) {
  if (stale_topics_.empty()) return;
  std::vector<std::string> topics(stale_topics_.begin(), stale_topics_.end());
  shared_.cluster.refresh(ctx, topics);
  for (const auto& topic : topics) id_of(topic);
  stale_topics_.clear();
  shared_.scheduler.leaders_changed();
}

kafka::Uuid ProduceWorker::id_of(const std::string& topic) {
  return shared_.topics.same_id(topic, shared_.cluster.topic_id(topic));
}

// The next batch of each partition that may send one, as far as they fit into a request.
ProduceWorker::Partitions ProduceWorker::next_request(kafka::ProduceRequest& request) {
  Partitions chosen;
  std::size_t bytes = 0;
  const auto now = Clock::now();
  for (auto& producer : active_) {
    if (producer->not_before > now || !leads(*producer) || !producer->peek()) continue;
    if (!producer->only_if_finished.empty())
      fail(ErrorKind::conflict, "the restore is not finished, and {}", producer->only_if_finished);
    const auto& batch = producer->peek()->batch;
    if (!chosen.empty() && bytes + batch.bytes.size() > shared_.settings.request_bytes_max) break;
    bytes += batch.bytes.size();
    const auto& target = producer->target();
    if (request.topic_data.empty() || request.topic_data.back().name != target.topic)
      request.topic_data.push_back(
          {.name = target.topic, .partition_data = {}, .topic_id = id_of(target.topic)});
    request.topic_data.back().partition_data.push_back(
        {.index = target.partition, .records = {{batch.bytes.data(), batch.bytes.size()}}});
    chosen.push_back(producer.get());
  }
  return chosen;
}

bool ProduceWorker::send(const Context& ctx) {
  if (in_flight_.size() >= shared_.settings.requests_in_flight_max) return false;
  if (!in_flight_.empty() && shared_.cluster.refuses(node_id_)) return false;  // an answer will tell
  kafka::ProduceRequest request{.acks = -1, .timeout_ms = shared_.settings.produce_timeout_ms};
  auto chosen = next_request(request);
  if (chosen.empty()) return false;
  std::uint64_t bytes = 0, records = 0;
  for (auto* producer : chosen) {
    bytes += producer->peek()->batch.bytes.size();
    records += static_cast<std::uint64_t>(producer->peek()->batch.record_count);
  }
  CircuitBreakers::Permit permit;
  try {
    permit = shared_.cluster.admit(node_id_);
  } catch (const Error& error) {
    for (auto* producer : chosen) failed(*producer, error);
    leave_alone_for_now();
    return true;
  }
  shared_.bytes_per_second.acquire(ctx, bytes);
  shared_.records_per_second.acquire(ctx, records);
  std::optional<Error> failure;
  try {
    use_connection(ctx);
    for (auto* producer : chosen) producer->sent();  // as the broker may have all of it even when this fails
    connection_->send(ctx, request);
  } catch (const Error& error) {
    ctx.check();
    failure = error;
  }
  in_flight_.push_back({std::move(chosen), std::move(permit)});
  if (failure) broker_failed(*failure);
  return true;
}

void ProduceWorker::use_connection(const Context& ctx) {
  if (!connection_ || !connection_->usable() || (in_flight_.empty() && connection_->closed_by_broker()))
    connection_ = shared_.cluster.open(ctx, node_id_);
}

bool ProduceWorker::settle_doubts(const Context& ctx) {
  std::map<kafka::TopicPartition, std::int32_t> leader_epochs;
  const auto now = Clock::now();
  for (const auto& producer : active_) {
    if (!leads(*producer)) continue;
    const auto& target = producer->target();
    const auto leader_epoch = shared_.cluster.leader_epoch(target.topic, target.partition);
    producer->led_in(leader_epoch);
    if (producer->in_doubt() && producer->not_before <= now) leader_epochs[target] = leader_epoch;
  }
  if (leader_epochs.empty()) return false;
  if (!in_flight_.empty()) return receive(ctx);
  const auto ends = ask_log_ends(ctx, leader_epochs);
  for (auto& producer : active_)
    if (auto it = ends.find(producer->target()); it != ends.end()) take_log_end(ctx, *producer, it->second);
  return true;
}

// Nothing when the broker fails; that is noted then. An answer says nothing about writing, so it closes no
// circuit breaker.
std::map<kafka::TopicPartition, kafka::LogEnd> ProduceWorker::ask_log_ends(
    const Context& ctx, const std::map<kafka::TopicPartition, std::int32_t>& leader_epochs) {
  CircuitBreakers::Permit permit;
  try {
    permit = shared_.cluster.admit(node_id_);
    use_connection(ctx);
    return kafka::log_ends(ctx, *connection_, leader_epochs);
  } catch (const Error& error) {
    ctx.check();
    permit.failed(error);
    connection_.reset();
    for (auto& producer : active_)
      if (leader_epochs.contains(producer->target())) failed(*producer, error);
    leave_alone_for_now();
    return {};
  }
}

void ProduceWorker::take_log_end(const Context& ctx, PartitionProducer& producer, const kafka::LogEnd& end) {
  const auto& target = producer.target();
  if (end.error_code != kafka::ErrorCode::none) {
    stale_topics_.insert(target.topic);
    const auto kind = kafka::retriable(end.error_code) ? ErrorKind::unavailable : kafka::kind(end.error_code);
    failed(producer, Error(kind, kafka::describe(end.error_code)));
    return;
  }
  const auto batch_at = [&](std::int64_t offset) {
    BatchStamp stamp;
    read_batches(ctx, shared_.cluster, {{target, offset}},
                 [&](const auto&, const kafka::RecordBatch& batch) { stamp = stamp_of(batch); });
    return stamp;
  };
  const auto result = producer.log_end_is(end.log_end_offset, end.high_watermark, batch_at);
  if (result.verdict == PartitionProducer::Verdict::retry)
    failed(producer, Error(ErrorKind::unavailable, "replicas lack a part of the log"));
  else
    acknowledged(producer, result);
}

// A row of failures ends only here: that a log could be asked for its end says nothing about writing.
void ProduceWorker::acknowledged(PartitionProducer& producer, const PartitionProducer::Answer& answer) {
  if (answer.records == 0) return;
  producer.failures.reset();
  shared_.progress.records_done += answer.records;
  shared_.progress.bytes_done += answer.bytes;
}

// Waits for the answer that has been on its way longest; false when there is none.
bool ProduceWorker::receive(const Context& ctx) {
  if (in_flight_.empty()) return false;
  std::optional<kafka::Reply<kafka::ProduceResponse>> reply;
  try {
    reply = connection_->receive<kafka::ProduceRequest>(ctx);
    took_on_more_ = false;
  } catch (const Error& error) {
    ctx.check();
    broker_failed(error);
    return true;
  }
  take_answer(reply->message);
  return true;
}

void ProduceWorker::take_answer(const kafka::ProduceResponse& answer) {
  auto request = std::move(in_flight_.front());
  in_flight_.pop_front();
  request.permit.succeeded();
  broker_fails_ = false;
  const bool by_id = !answer.responses.empty() && answer.responses.front().name.empty();
  const auto key_of = [&](const std::string& name, const kafka::Uuid& id) {
    return by_id ? std::string(id.begin(), id.end()) : name;
  };
  std::map<std::pair<std::string, std::int32_t>, const kafka::ProduceResponse::Partition*> answers;
  for (const auto& topic : answer.responses)
    for (const auto& partition : topic.partition_responses)
      answers[{key_of(topic.name, topic.topic_id), partition.index}] = &partition;
  for (auto* producer : request.partitions) {
    if (!producer) continue;  // it failed in an earlier request: what was sent behind that does not count
    const auto& target = producer->target();
    auto it = answers.find({key_of(target.topic, id_of(target.topic)), target.partition});
    if (it == answers.end())
      fail(ErrorKind::corrupt, "Produce answer of broker {} leaves out {}/{}", node_id_, target.topic,
           target.partition);
    auto result = producer->answered(*it->second);
    if (result.verdict == PartitionProducer::Verdict::retry) {
      retry_later(*producer, *it->second, answer.node_endpoints);
      continue;
    }
    acknowledged(*producer, result);
  }
}

void ProduceWorker::retry_later(PartitionProducer& producer, const kafka::ProduceResponse::Partition& answer,
                                const std::vector<kafka::NodeEndpoint>& endpoints) {
  for (auto& behind : in_flight_)
    std::ranges::replace(behind.partitions, &producer, static_cast<PartitionProducer*>(nullptr));
  const auto& target = producer.target();
  failed(producer, Error(ErrorKind::unavailable, kafka::describe(answer.error_code)));
  if (!shared_.cluster.learn_leader(target.topic, target.partition, answer.current_leader, endpoints))
    stale_topics_.insert(target.topic);
}

void ProduceWorker::failed(PartitionProducer& producer, const Error& error) {
  const auto& target = producer.target();
  auto now = Clock::now();
  auto in_context = error.while_doing(fmt::format("writing to {}/{}", target.topic, target.partition));
  producer.not_before = now + producer.failures.note(shared_.settings.retry, in_context, now);
  LOG_DEBUG("{}, trying again", in_context.what());
}

// The connection is gone, and with it the answers: nobody knows what of all that was on its way is written.
void ProduceWorker::broker_failed(const Error& error) {
  connection_.reset();
  std::set<PartitionProducer*> hit;
  if (!in_flight_.empty()) in_flight_.front().permit.failed(error);
  for (auto& request : in_flight_) hit.insert(request.partitions.begin(), request.partitions.end());
  hit.erase(nullptr);
  in_flight_.clear();
  for (auto* producer : hit) {
    producer->answers_lost();
    failed(*producer, error);
  }
  leave_alone_for_now();
}

// All its partitions may have moved, also those that have nothing to send with which to find out.
void ProduceWorker::leave_alone_for_now() {
  broker_fails_ = true;
  for (const auto& producer : active_) stale_topics_.insert(producer->target().topic);
}

}  // namespace kb::engine
