// Batches that kafka/rebatch.h makes, against a real broker at KAFKA_BOOTSTRAP (host:port): it takes every
// one, at the offset it has to get, and gives back the records. The broker decompresses and validates each
// (LogValidator.java).
#include <cstdlib>

#include "kafka/admin.h"
#include "kafka/messages.h"
#include "kafka/rebatch.h"
#include "kafka/record_generator.h"
#include "net/endpoint.h"

#include <doctest/doctest.h>

namespace kb::kafka {
namespace {

using namespace std::chrono_literals;

// One topic with a partition for each codec, and a producer of ours.
class Target {
 public:
  Target() : cluster_(settings()) {
    cluster_.connect(ctx_);
    topic_ = fmt::format("rebatch-test-{}", std::chrono::system_clock::now().time_since_epoch().count());
    create_topics(ctx_, cluster_,
                  {{.name = topic_,
                    .partitions = std::size(all_codecs),
                    .configs = {{"retention.ms", "-1"},
                                {"message.timestamp.before.max.ms", "9223372036854775807"},
                                {"message.timestamp.after.max.ms", "9223372036854775807"}}}});
    const auto session = init_producer(ctx_, cluster_, topic_, 60'000);
    stamp_ = {.producer_id = session.producer_id, .producer_epoch = session.producer_epoch};
  }
  ~Target() {
    try {
      delete_topics(ctx_, cluster_, {topic_});
    } catch (const Error& error) {
      MESSAGE(error.what());
    }
  }

  // Returns the offset that the broker gave it.
  std::int64_t produce(std::int32_t partition, std::int32_t base_sequence, const OutputBatch& batch) {
    auto stamp = stamp_;
    stamp.base_sequence = base_sequence;
    restamp(batch.bytes, stamp);
    const ProduceRequest request{
        .transactional_id = std::nullopt,
        .acks = -1,
        .timeout_ms = 30'000,
        .topic_data = {{.name = topic_,
                        .partition_data = {
                            {.index = partition, .records = {{batch.bytes.data(), batch.bytes.size()}}}}}}};
    const auto answer = cluster_.call_broker(ctx_, cluster_.leader(topic_, partition), request);
    const auto& result = answer.message.responses.at(0).partition_responses.at(0);
    REQUIRE_MESSAGE(result.error_code == ErrorCode::none, result.error_message.value_or("no message"));
    return result.base_offset;
  }

  std::vector<OwnedRecord> fetch_all(std::int32_t partition) {
    std::vector<OwnedRecord> all;
    const auto end = list_offset(ctx_, cluster_, topic_, partition, OffsetAt::latest);
    for (std::int64_t offset = 0; offset < end;) {
      const FetchRequest request{.max_wait_ms = 1000,
                                 .min_bytes = 1,
                                 .topics = {{.topic = topic_,
                                             .partitions = {{.partition = partition,
                                                             .fetch_offset = offset,
                                                             .partition_max_bytes = 1 << 20}}}}};
      const auto answer = cluster_.call_broker(ctx_, cluster_.leader(topic_, partition), request);
      auto rest = answer.message.responses.at(0).partitions.at(0).records.bytes;
      while (const auto batch = next_batch(rest)) {
        REQUIRE(batch->crc_matches());
        for (auto& record : read_records(*batch)) all.push_back(std::move(record));
        offset = batch->next_offset();
      }
    }
    return all;
  }

 private:
  static ClusterSettings settings() {
    const char* bootstrap = std::getenv("KAFKA_BOOTSTRAP");
    if (!bootstrap) fail(ErrorKind::invalid, "KAFKA_BOOTSTRAP is not set");
    return {.bootstrap_servers = {parse_endpoint(bootstrap)}};
  }

  const Context ctx_ = Context{}.with_timeout(300s);
  Cluster cluster_;
  std::string topic_;
  ProducerStamp stamp_;
};

// A stored batch with some of what keeps a broker from taking it as it is, and the records it stands for.
std::string stored_batch(RecordGenerator& random, CompressionType codec, std::int64_t offset,
                         std::vector<OwnedRecord>& expected) {
  auto records = random.records(offset, random.one_in(3) ? 1 : random.between(1, 200), random.one_in(4),
                                random.one_in(9) ? 20'000 : 200);
  RecordBatchBuilder::Options options{
      .codec = codec, .producer = {random.between(-1, 5), 2, 9}, .leader_epoch = 4};
  if (random.one_in(5)) options.more_attributes |= RecordBatch::transactional_bit;
  if (random.one_in(9)) options.more_attributes |= RecordBatch::delete_horizon_bit;
  if (random.one_in(5)) options.more_attributes |= RecordBatch::log_append_time_bit;
  const auto bytes = make_batch(offset, records, options);
  for (auto& record : read_records(RecordBatch::whole(bytes))) expected.push_back(std::move(record));
  return bytes;
}

TEST_CASE("a broker takes what was passed, merged, written anew and split, in every codec") {
  Target target;
  for (const auto codec : all_codecs) {
    const auto partition = static_cast<std::int32_t>(codec);
    RecordGenerator random(static_cast<std::uint64_t>(codec));
    Rebatcher rebatcher({.max_message_bytes = 40'000, .merged_bytes_max = 20'000});
    std::vector<OwnedRecord> expected;
    std::int32_t produced = 0;
    const auto produce_all = [&] {
      while (const auto output = rebatcher.take()) {
        REQUIRE_EQ(target.produce(partition, produced, *output), produced);
        // The same again is answered with the same offset and not appended.
        if (random.one_in(10)) REQUIRE_EQ(target.produce(partition, produced, *output), produced);
        produced += output->record_count;
      }
    };
    std::int64_t offset = 1000;
    for (int batch = 0; batch < 80; ++batch) {
      const auto bytes = std::make_shared<std::string>(stored_batch(random, codec, offset, expected));
      offset = RecordBatch::whole(*bytes).next_offset() + random.between(0, 2);
      rebatcher.add({.bytes = *bytes, .owner = bytes});
      produce_all();
    }
    rebatcher.flush();
    produce_all();
    CHECK_GT(rebatcher.counts().batches_passed, 10);
    CHECK_GT(rebatcher.counts().batches_decoded, 10);
    auto fetched = target.fetch_all(partition);
    REQUIRE_EQ(fetched.size(), expected.size());
    for (std::size_t index = 0; index < fetched.size(); ++index) {
      expected[index].offset = static_cast<std::int64_t>(index);
      REQUIRE(fetched[index] == expected[index]);
    }
  }
}

}  // namespace
}  // namespace kb::kafka
