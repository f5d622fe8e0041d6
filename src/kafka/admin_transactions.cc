// Sessions of transactional producers, as far as fencing needs them (KIP-98, KIP-360).
#include "kafka/admin.h"
#include "kafka/messages.h"
#include "kafka/rounds.h"

namespace kb::kafka {
namespace {

std::string quoted(const ProducerSession& session) {
  return fmt::format("'{}'", session.transactional_id);
}

void add_partitions(const Context& ctx, Cluster& cluster, const ProducerSession& session,
                    std::set<TopicPartition> pending) {
  Rounds rounds(cluster.settings().retry, "adding to the transaction of");
  do {
    AddPartitionsToTxnRequest request{
        session.transactional_id, session.producer_id, session.producer_epoch, {}};
    request.topics = in_topics<AddPartitionsToTxnRequest::Topic>(
        {pending.begin(), pending.end()}, [](const TopicPartition& p) { return p.partition; });
    const auto response =
        cluster.call_coordinator(ctx, CoordinatorKind::transaction, session.transactional_id, request)
            .message;
    for (const auto& topic : response.results_by_topic)
      for (const auto& p : topic.results_by_partition) {
        // One partition that fails keeps the others out; what it fails with decides.
        if (p.partition_error_code == ErrorCode::operation_not_attempted) continue;
        const TopicPartition partition{topic.name, p.partition_index};
        if (rounds.done(fmt::format("{} {}", quoted(session), to_string(partition)), p.partition_error_code))
          pending.erase(partition);
      }
  } while (rounds.again(ctx));
  if (!pending.empty())
    fail(ErrorKind::corrupt, "the coordinator of {} did not add {}", quoted(session),
         to_string(*pending.begin()));
}

void abort_transaction(const Context& ctx, Cluster& cluster, const ProducerSession& session) {
  Rounds rounds(cluster.settings().retry, "aborting the transaction of");
  const EndTxnRequest request{session.transactional_id, session.producer_id, session.producer_epoch, false};
  do {
    const auto response =
        cluster.call_coordinator(ctx, CoordinatorKind::transaction, session.transactional_id, request)
            .message;
    rounds.done(quoted(session), response.error_code);
  } while (rounds.again(ctx));
}

}  // namespace

ProducerSession init_producer(const Context& ctx, Cluster& cluster, const std::string& transactional_id,
                              std::int32_t transaction_timeout_ms,
                              const std::optional<ProducerSession>& earlier) {
  ProducerSession session{.transactional_id = transactional_id};
  Rounds rounds(cluster.settings().retry, "taking over transactional id");
  const InitProducerIdRequest request{.transactional_id = transactional_id,
                                      .transaction_timeout_ms = transaction_timeout_ms,
                                      .producer_id = earlier ? earlier->producer_id : -1,
                                      .producer_epoch = earlier ? earlier->producer_epoch : std::int16_t{-1}};
  do {
    const auto response =
        cluster.call_coordinator(ctx, CoordinatorKind::transaction, transactional_id, request).message;
    if (!rounds.done(quoted(session), response.error_code)) continue;
    session.producer_id = response.producer_id;
    session.producer_epoch = response.producer_epoch;
  } while (rounds.again(ctx));
  if (earlier && session.producer_id != earlier->producer_id)
    fail(ErrorKind::conflict, "the coordinator of {} has forgotten its session", quoted(session));
  return session;
}

void fence(const Context& ctx, Cluster& cluster, const ProducerSession& session,
           const std::vector<TopicPartition>& partitions) {
  if (partitions.empty()) return;
  add_partitions(ctx, cluster, session, {partitions.begin(), partitions.end()});
  abort_transaction(ctx, cluster, session);
  // The first answer comes when the abort is decided. The second one is CONCURRENT_TRANSACTIONS, and asked
  // again, until every marker is in its log.
  abort_transaction(ctx, cluster, session);
}

}  // namespace kb::kafka
