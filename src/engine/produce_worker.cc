#include "engine/produce_worker.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/log.h"

namespace kb::engine {

void ProduceWorker::run(const Context& ctx) {
  for (;;) {
    ctx.check();
    retire();
    activate();
    if (active_.empty()) return;
    bool moved = fill(ctx, false);
    moved |= send_all(ctx);
    if (moved || take_on_more()) continue;
    if (receive(ctx)) continue;
    // Nothing is on its way and nothing could be sent: memory or a resting partition is what it waits for.
    if (!fill(ctx, true)) rest(ctx);
  }
}

void ProduceWorker::activate() {
  const auto most = std::min(active_max_, shared_.settings.partitions_at_once_max);
  while (active_.size() < most && !waiting_.empty()) {
    active_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    shared_.progress.topic.set(active_.back()->target().topic);
  }
}

bool ProduceWorker::take_on_more() {
  const auto& settings = shared_.settings;
  if (took_on_more_ || waiting_.empty() || active_max_ >= settings.partitions_at_once_max) return false;
  std::size_t bytes = 0;
  for (const auto& producer : active_) bytes += producer->bytes_in_flight();
  if (bytes >= settings.request_bytes_max * settings.requests_in_flight_max / 2) return false;
  active_max_ += active_max_ / 2;
  return took_on_more_ = true;
}

void ProduceWorker::retire() {
  auto done = std::erase_if(active_, [](auto& producer) { return producer->done(); });
  shared_.progress.partitions_done += done;
}

// Reads a block for each partition that has nothing to send.
bool ProduceWorker::fill(const Context& ctx, bool may_wait) {
  bool read = false;
  for (auto& producer : active_) {
    if (!producer->hungry()) continue;
    auto lease = shared_.budget.try_acquire(producer->reader().next_bytes());
    // Whoever waits must hold nothing that others wait for; here nothing is ready or on its way.
    if (!lease && may_wait && !read) lease = shared_.budget.acquire(ctx, producer->reader().next_bytes());
    if (!lease) break;
    producer->reader().read(ctx, std::move(*lease));
    read = true;
  }
  return read;
}

bool ProduceWorker::send_all(const Context& ctx) {
  if (!stale_topics_.empty()) {
    std::vector<std::string> topics(stale_topics_.begin(), stale_topics_.end());
    shared_.cluster.refresh(ctx, topics);
    stale_topics_.clear();
  }
  std::map<std::int32_t, std::vector<PartitionProducer*>> by_leader;
  auto now = Clock::now();
  for (auto& producer : active_) {
    if (producer->not_before > now || !producer->peek()) continue;
    // What is on its way keeps the rest behind it, even when another broker leads by now.
    auto leader = producer->in_flight() > 0
                      ? producer->sent_to
                      : shared_.cluster.leader(producer->target().topic, producer->target().partition);
    if (leader < 0)
      failed(*producer, Error(ErrorKind::unavailable, "the partition has no leader"));
    else
      by_leader[leader].push_back(producer.get());
  }
  bool sent = false;
  for (auto& [node_id, partitions] : by_leader) {
    if (brokers_[node_id].in_flight.size() >= shared_.settings.requests_in_flight_max) continue;
    send(ctx, node_id, partitions);
    sent = true;
  }
  return sent;
}

void ProduceWorker::send(const Context& ctx, std::int32_t node_id,
                         const std::vector<PartitionProducer*>& partitions) {
  kafka::ProduceRequest request{.acks = -1, .timeout_ms = shared_.settings.produce_timeout_ms};
  Request sent;
  std::size_t bytes = 0;
  std::uint64_t records = 0;
  for (auto* producer : partitions) {
    const auto& batch = producer->peek()->batch;
    if (!producer->only_if_finished.empty())
      fail(ErrorKind::conflict, "the restore is not finished, and {}", producer->only_if_finished);
    if (!sent.empty() && bytes + batch.bytes.size() > shared_.settings.request_bytes_max) break;
    bytes += batch.bytes.size();
    records += static_cast<std::uint64_t>(batch.record_count);
    const auto& target = producer->target();
    if (request.topic_data.empty() || request.topic_data.back().name != target.topic)
      request.topic_data.push_back({.name = target.topic, .partition_data = {}});
    request.topic_data.back().partition_data.push_back(
        {.index = target.partition, .records = {{batch.bytes.data(), batch.bytes.size()}}});
    sent.push_back(producer);
  }
  shared_.bytes_per_second.acquire(ctx, bytes);
  shared_.records_per_second.acquire(ctx, records);
  auto& broker = brokers_[node_id];
  try {
    if (!broker.connection || !broker.connection->usable())
      broker.connection = shared_.cluster.open(ctx, node_id);
    broker.connection->send(ctx, request);
  } catch (const Error& error) {
    ctx.check();
    for (auto* producer : sent) failed(*producer, error);
    broker_failed(ctx, node_id, error);
    return;
  }
  for (auto* producer : sent) {
    producer->sent();
    producer->sent_to = node_id;
  }
  if (broker.in_flight.empty()) broker.oldest_sent = Clock::now();
  broker.in_flight.push_back(std::move(sent));
}

// Waits for the answer that has been on its way longest; false when there is none.
bool ProduceWorker::receive(const Context& ctx) {
  auto oldest = brokers_.end();
  for (auto it = brokers_.begin(); it != brokers_.end(); ++it)
    if (!it->second.in_flight.empty() &&
        (oldest == brokers_.end() || it->second.oldest_sent < oldest->second.oldest_sent))
      oldest = it;
  if (oldest == brokers_.end()) return false;
  try {
    auto reply = oldest->second.connection->receive<kafka::ProduceRequest>(ctx);
    oldest->second.oldest_sent = Clock::now();
    took_on_more_ = false;
    take_answer(ctx, oldest->first, reply.message);
  } catch (const Error& error) {
    if (oldest->second.connection->usable()) throw;  // not the connection: what the answer says
    ctx.check();
    broker_failed(ctx, oldest->first, error);
  }
  return true;
}

void ProduceWorker::take_answer(const Context&, std::int32_t node_id, const kafka::ProduceResponse& answer) {
  auto& broker = brokers_[node_id];
  auto request = std::move(broker.in_flight.front());
  broker.in_flight.pop_front();
  std::map<std::pair<std::string_view, std::int32_t>, const kafka::ProduceResponse::Partition*> answers;
  for (const auto& topic : answer.responses)
    for (const auto& partition : topic.partition_responses)
      answers[{topic.name, partition.index}] = &partition;
  for (auto* producer : request) {
    if (!producer) continue;  // it failed in an earlier request: what was sent behind that does not count
    const auto& target = producer->target();
    auto it = answers.find({target.topic, target.partition});
    if (it == answers.end())
      fail(ErrorKind::corrupt, "Produce answer of broker {} leaves out {}/{}", node_id, target.topic,
           target.partition);
    auto result = producer->answered(*it->second);
    if (result.verdict == PartitionProducer::Verdict::retry) {
      for (auto& behind : broker.in_flight)
        std::replace(behind.begin(), behind.end(), producer, static_cast<PartitionProducer*>(nullptr));
      failed(*producer, Error(ErrorKind::unavailable, kafka::describe(result.code)));
      continue;
    }
    producer->failures.reset();
    shared_.progress.records_done += result.records;
    shared_.progress.bytes_done += result.bytes;
  }
}

void ProduceWorker::failed(PartitionProducer& producer, const Error& error) {
  const auto& target = producer.target();
  auto now = Clock::now();
  auto in_context = error.while_doing(fmt::format("writing to {}/{}", target.topic, target.partition));
  producer.not_before = now + producer.failures.note(shared_.settings.retry, in_context, now);
  LOG_DEBUG("{}, trying again", in_context.what());
  stale_topics_.insert(target.topic);
}

// The connection is gone, and with it the answers: everything on its way is sent again, which the brokers'
// own bookkeeping of sequence numbers makes harmless.
void ProduceWorker::broker_failed(const Context&, std::int32_t node_id, const Error& error) {
  auto& broker = brokers_[node_id];
  broker.connection.reset();
  std::set<PartitionProducer*> hit;
  for (auto& request : broker.in_flight) hit.insert(request.begin(), request.end());
  hit.erase(nullptr);
  broker.in_flight.clear();
  for (auto* producer : hit) {
    producer->send_again();
    failed(*producer, error);
  }
}

void ProduceWorker::rest(const Context& ctx) {
  auto until = Clock::now() + std::chrono::seconds(1);
  for (const auto& producer : active_) until = std::min(until, producer->not_before);
  if (auto now = Clock::now(); until > now) ctx.sleep_for(until - now);
}

}  // namespace kb::engine
