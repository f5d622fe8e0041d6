#include "engine/changed_log.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/error.h"
#include "kafka/admin.h"

namespace kb::engine {
namespace {

namespace history = archive::history;

// So long a topic must be missing in all answers; a broker that was just started may lack it for a moment.
constexpr auto deleted_after = std::chrono::seconds(10);

enum class Topic { same, another, missing };

// Whether no broker that can be asked knows the topic by this id any more: one that is cut off from the
// controller may go on speaking of another time.
bool is_gone_everywhere(const Context& ctx, kafka::Cluster& cluster, const FetchCursor& cursor) {
  kafka::MetadataRequest request{.allow_auto_topic_creation = false};
  request.topics.emplace().push_back({.topic_id = {}, .name = cursor.stream.topic});
  for (const auto& broker : cluster.brokers()) {
    try {
      const auto answer = cluster.call_broker_once(ctx, broker.node_id, request);
      for (const auto& topic : answer.message.topics)
        if (topic.topic_id == cursor.topic_id) return false;
    } catch (const Error& error) {
      ctx.check();
      if (!error.retryable()) throw;
    }
  }
  return true;
}

Topic look(const Context& ctx, kafka::Cluster& cluster, const FetchCursor& cursor) {
  const std::array names{cursor.stream.topic};
  for (const auto& topic : cluster.metadata(ctx, names).topics) {
    if (topic.name != cursor.stream.topic) continue;
    if (topic.error_code == kafka::ErrorCode::unknown_topic_or_partition) return Topic::missing;
    const bool comparable = topic.topic_id != kafka::Uuid{} && cursor.topic_id != kafka::Uuid{};
    const bool differs = comparable && topic.topic_id != cursor.topic_id;
    return differs && is_gone_everywhere(ctx, cluster, cursor) ? Topic::another : Topic::same;
  }
  return Topic::same;
}

LogChange all_lost(const FetchCursor& cursor, std::string_view kind) {
  return {.next = cursor.end,
          .event = archive::HistoryEvent{.kind = std::string(kind), .topic = cursor.stream.topic}};
}

std::optional<std::int64_t> offset_of(const Context& ctx, kafka::Cluster& cluster, const FetchCursor& cursor,
                                      kafka::OffsetAt at) {
  try {
    return kafka::list_offset(ctx, cluster, cursor.stream.topic, cursor.stream.partition, at);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found && !error.retryable()) throw;
    ctx.check();
    return std::nullopt;  // the next fetch will tell
  }
}

}  // namespace

std::optional<LogChange> after_out_of_range(const Context& ctx, kafka::Cluster& cluster,
                                            const FetchCursor& cursor) {
  switch (look(ctx, cluster, cursor)) {
    case Topic::another:
      return all_lost(cursor, history::topic_recreated);
    case Topic::missing:
      return std::nullopt;
    case Topic::same:
      break;
  }
  const auto log_start = offset_of(ctx, cluster, cursor, kafka::OffsetAt::earliest);
  if (!log_start) return std::nullopt;
  if (*log_start > cursor.position) return LogChange{.next = std::min(*log_start, cursor.end), .event = {}};
  const auto log_end = offset_of(ctx, cluster, cursor, kafka::OffsetAt::latest);
  if (!log_end || *log_end >= cursor.position) return std::nullopt;
  return after_divergence(cursor, *log_end);
}

LogChange after_divergence(const FetchCursor& cursor, std::int64_t end_offset) {
  return {.next = cursor.end,
          .event = archive::HistoryEvent{
              .kind = std::string(history::log_truncated),
              .topic = cursor.stream.topic,
              .partition = cursor.stream.partition,
              .from = end_offset,
              .to = cursor.position,
              .detail = "an unclean leader election: the backup keeps what the log has lost"}};
}

std::optional<LogChange> after_unknown_topic(const Context& ctx, kafka::Cluster& cluster,
                                             FetchCursor& cursor) {
  const auto now = Clock::now();
  switch (look(ctx, cluster, cursor)) {
    case Topic::another:
      return all_lost(cursor, history::topic_recreated);
    case Topic::same:
      cursor.missing_since.reset();
      return std::nullopt;
    case Topic::missing:
      break;
  }
  if (!cursor.missing_since) cursor.missing_since = now;
  if (now - *cursor.missing_since < deleted_after) return std::nullopt;
  return all_lost(cursor, history::topic_deleted);
}

}  // namespace kb::engine
