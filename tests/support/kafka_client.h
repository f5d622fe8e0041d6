// Producer and admin client over librdkafka's C API, for the independent tools of the tests.
// Errors are std::runtime_error: a tool has nobody to recover for. Every class belongs to one thread.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <librdkafka/rdkafka.h>

namespace tool {

using Bytes = std::optional<std::string>;  // nullopt is null, which is not the empty string

struct Header {
  std::string key;
  Bytes value;
};

struct Record {
  Bytes key;
  Bytes value;
  std::vector<Header> headers;
  std::int64_t timestamp_ms = 0;  // librdkafka takes 0 for "now": only a Java producer can write a real 0
};

using Settings = std::vector<std::pair<std::string, std::string>>;

struct Client {
  void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
};
using ClientPtr = std::unique_ptr<rd_kafka_t, Client>;

ClientPtr make_client(rd_kafka_type_t type, const std::string& bootstrap, const Settings& settings,
                      void* opaque);

struct ListDelete {
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
};
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t, ListDelete>;

// Throws "what: reason" when code is an error.
void require(rd_kafka_resp_err_t code, std::string_view what);

// Asks every 50 ms until the condition holds; throws, naming `what`, when it took longer than `at_most`.
void wait_for(std::string_view what, std::chrono::seconds at_most, const std::function<bool()>& condition);

class Producer {
 public:
  explicit Producer(const std::string& bootstrap, const Settings& settings = {});

  // Waits while the local queue is full.
  void produce(const std::string& topic, std::int32_t partition, const Record& record);
  // The value must stay alive and unchanged until flush().
  void produce_view(const std::string& topic, std::int32_t partition, std::string_view key,
                    std::string_view value, std::int64_t timestamp_ms);
  // Waits until everything is acknowledged; throws if anything was refused.
  void flush();
  // Like flush(), but hands back the first refusal instead of throwing it.
  rd_kafka_resp_err_t flush_refusal();

  // For a producer with a transactional.id. A destroyed producer leaves its transaction open.
  void init_transactions();
  void begin();
  void commit();
  void abort();

 private:
  rd_kafka_resp_err_t enqueue(const std::string& topic, std::int32_t partition, const Record& record);
  void transaction_step(rd_kafka_error_t* error, std::string_view what);

  std::unique_ptr<rd_kafka_resp_err_t> refusal_;  // the first one; the client's callback keeps its address
  ClientPtr client_;                              // last: its destructor may still call back
};

class Admin {
 public:
  explicit Admin(const std::string& bootstrap);

  void create_topic(const std::string& name, std::int32_t partitions, const Settings& config);
  // Sets exactly these configs; others go back to the broker's.
  void alter_topic(const std::string& name, const Settings& config);
  void delete_topics(const std::vector<std::string>& names);
  // Moves the log start of the partition to `offset`.
  void delete_records(const std::string& topic, std::int32_t partition, std::int64_t offset);
  // Names of all topics that are not internal, sorted.
  std::vector<std::string> topics();
  std::int32_t partition_count(const std::string& topic);

 private:
  ClientPtr client_;
};

}  // namespace tool
