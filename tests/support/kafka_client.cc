#include "kafka_client.h"

#include <algorithm>
#include <stdexcept>
#include <thread>

#include <fmt/core.h>

namespace tool {
namespace {

constexpr int timeout_ms = 60'000;

void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  auto* refusal = static_cast<rd_kafka_resp_err_t*>(opaque);
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && *refusal == RD_KAFKA_RESP_ERR_NO_ERROR)
    *refusal = message->err;
}

rd_kafka_headers_t* make_headers(const std::vector<Header>& headers) {
  rd_kafka_headers_t* list = rd_kafka_headers_new(headers.size());
  for (const Header& header : headers) {
    const char* value = header.value ? header.value->data() : nullptr;
    rd_kafka_header_add(list, header.key.data(), static_cast<ssize_t>(header.key.size()), value,
                        header.value ? static_cast<ssize_t>(header.value->size()) : 0);
  }
  return list;
}

void* pointer(const Bytes& bytes) {
  return bytes ? const_cast<char*>(bytes->data()) : nullptr;
}
std::size_t size(const Bytes& bytes) {
  return bytes ? bytes->size() : 0;
}

// Calls one admin operation and waits for its event; `results` yields the per-topic results of the event.
template <class Call, class Check>
void admin_call(rd_kafka_t* client, std::string_view what, Call call, Check check) {
  rd_kafka_queue_t* queue = rd_kafka_queue_new(client);
  call(queue);
  rd_kafka_event_t* event = rd_kafka_queue_poll(queue, timeout_ms);
  std::string failure;
  if (event == nullptr) {
    failure = "no answer";
  } else if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    failure = rd_kafka_event_error_string(event);
  } else {
    failure = check(event);
  }
  if (event != nullptr) rd_kafka_event_destroy(event);
  rd_kafka_queue_destroy(queue);
  if (!failure.empty()) throw std::runtime_error(fmt::format("{}: {}", what, failure));
}

std::string first_failure(const rd_kafka_topic_result_t** results, std::size_t count) {
  for (std::size_t i = 0; i < count; i++) {
    if (rd_kafka_topic_result_error(results[i]) == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    const char* text = rd_kafka_topic_result_error_string(results[i]);
    return text != nullptr ? text : rd_kafka_err2str(rd_kafka_topic_result_error(results[i]));
  }
  return {};
}

}  // namespace

void require(rd_kafka_resp_err_t code, std::string_view what) {
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    throw std::runtime_error(fmt::format("{}: {}", what, rd_kafka_err2str(code)));
  }
}

void wait_for(std::string_view what, std::chrono::seconds at_most, const std::function<bool()>& condition) {
  auto deadline = std::chrono::steady_clock::now() + at_most;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline)
      throw std::runtime_error(fmt::format("waited too long: {}", what));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

ClientPtr make_client(rd_kafka_type_t type, const std::string& bootstrap, const Settings& settings,
                      void* opaque) {
  char reason[512];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_conf_set_opaque(conf, opaque);
  if (type == RD_KAFKA_PRODUCER && opaque != nullptr) rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  auto set = [&](const std::string& name, const std::string& value) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), reason, sizeof reason) != RD_KAFKA_CONF_OK) {
      throw std::runtime_error(reason);
    }
  };
  set("bootstrap.servers", bootstrap);
  for (const auto& [name, value] : settings) set(name, value);
  rd_kafka_t* client = rd_kafka_new(type, conf, reason, sizeof reason);
  if (client == nullptr) throw std::runtime_error(reason);
  return ClientPtr(client);
}

Producer::Producer(const std::string& bootstrap, const Settings& settings)
    : refusal_(std::make_unique<rd_kafka_resp_err_t>(RD_KAFKA_RESP_ERR_NO_ERROR)) {
  // Larger than any topic allows: what is too large is for the broker to say.
  Settings all{{"message.max.bytes", "20000000"}, {"queue.buffering.max.kbytes", "262144"}, {"acks", "all"}};
  all.insert(all.end(), settings.begin(), settings.end());
  client_ = make_client(RD_KAFKA_PRODUCER, bootstrap, all, refusal_.get());
}

rd_kafka_resp_err_t Producer::enqueue(const std::string& topic, std::int32_t partition,
                                      const Record& record) {
  rd_kafka_headers_t* headers = record.headers.empty() ? nullptr : make_headers(record.headers);
  std::vector<rd_kafka_vu_t> fields(6);
  fields[0].vtype = RD_KAFKA_VTYPE_TOPIC;
  fields[0].u.cstr = topic.c_str();
  fields[1].vtype = RD_KAFKA_VTYPE_PARTITION;
  fields[1].u.i32 = partition;
  fields[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  fields[2].u.i = RD_KAFKA_MSG_F_COPY;
  fields[3].vtype = RD_KAFKA_VTYPE_KEY;
  fields[3].u.mem = {pointer(record.key), size(record.key)};
  fields[4].vtype = RD_KAFKA_VTYPE_VALUE;
  fields[4].u.mem = {pointer(record.value), size(record.value)};
  fields[5].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
  fields[5].u.i64 = record.timestamp_ms;
  if (headers != nullptr) {
    rd_kafka_vu_t field{};
    field.vtype = RD_KAFKA_VTYPE_HEADERS;
    field.u.headers = headers;
    fields.push_back(field);
  }
  rd_kafka_error_t* error = rd_kafka_produceva(client_.get(), fields.data(), fields.size());
  if (error == nullptr) return RD_KAFKA_RESP_ERR_NO_ERROR;
  auto code = rd_kafka_error_code(error);
  rd_kafka_error_destroy(error);
  if (headers != nullptr) rd_kafka_headers_destroy(headers);  // librdkafka owns them only after a success
  return code;
}

void Producer::produce(const std::string& topic, std::int32_t partition, const Record& record) {
  for (;;) {
    auto code = enqueue(topic, partition, record);
    rd_kafka_poll(client_.get(), code == RD_KAFKA_RESP_ERR__QUEUE_FULL ? 100 : 0);
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) continue;
    require(code, "produce to " + topic);
    return;
  }
}

void Producer::produce_view(const std::string& topic, std::int32_t partition, std::string_view key,
                            std::string_view value, std::int64_t timestamp_ms) {
  for (;;) {
    auto code = rd_kafka_producev(client_.get(), RD_KAFKA_V_TOPIC(topic.c_str()),
                                  RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_KEY(key.data(), key.size()),
                                  RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
                                  RD_KAFKA_V_TIMESTAMP(timestamp_ms), RD_KAFKA_V_END);
    rd_kafka_poll(client_.get(), code == RD_KAFKA_RESP_ERR__QUEUE_FULL ? 100 : 0);
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) continue;
    require(code, "produce to " + topic);
    return;
  }
}

void Producer::flush() {
  require(flush_refusal(), "a record was refused");
}

rd_kafka_resp_err_t Producer::flush_refusal() {
  require(rd_kafka_flush(client_.get(), 5 * timeout_ms), "flush");
  return std::exchange(*refusal_, RD_KAFKA_RESP_ERR_NO_ERROR);
}

void Producer::transaction_step(rd_kafka_error_t* error, std::string_view what) {
  if (error == nullptr) return;
  std::string text = fmt::format("{}: {}", what, rd_kafka_error_string(error));
  rd_kafka_error_destroy(error);
  throw std::runtime_error(text);
}

void Producer::init_transactions() {
  transaction_step(rd_kafka_init_transactions(client_.get(), timeout_ms), "init transactions");
}
void Producer::begin() {
  transaction_step(rd_kafka_begin_transaction(client_.get()), "begin a transaction");
}
void Producer::commit() {
  flush();
  transaction_step(rd_kafka_commit_transaction(client_.get(), timeout_ms), "commit a transaction");
}
void Producer::abort() {
  flush();  // what is still queued would be purged, and never reach the log
  transaction_step(rd_kafka_abort_transaction(client_.get(), timeout_ms), "abort a transaction");
}

Admin::Admin(const std::string& bootstrap)
    : client_(make_client(RD_KAFKA_PRODUCER, bootstrap, {}, nullptr)) {}

void Admin::create_topic(const std::string& name, std::int32_t partitions, const Settings& config) {
  char reason[512];
  rd_kafka_NewTopic_t* topic = rd_kafka_NewTopic_new(name.c_str(), partitions, 1, reason, sizeof reason);
  if (topic == nullptr) throw std::runtime_error(reason);
  for (const auto& [key, value] : config) rd_kafka_NewTopic_set_config(topic, key.c_str(), value.c_str());
  auto call = [&](rd_kafka_queue_t* queue) {
    rd_kafka_CreateTopics(client_.get(), &topic, 1, nullptr, queue);
  };
  auto check = [](rd_kafka_event_t* event) {
    std::size_t count = 0;
    auto* results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    return first_failure(results, count);
  };
  admin_call(client_.get(), "create topic " + name, call, check);
  rd_kafka_NewTopic_destroy(topic);
}

void Admin::alter_topic(const std::string& name, const Settings& config) {
  rd_kafka_ConfigResource_t* resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name.c_str());
  for (const auto& [key, value] : config) {
    rd_kafka_ConfigResource_set_config(resource, key.c_str(), value.c_str());
  }
  auto call = [&](rd_kafka_queue_t* queue) {
    rd_kafka_AlterConfigs(client_.get(), &resource, 1, nullptr, queue);
  };
  auto check = [](rd_kafka_event_t* event) -> std::string {
    std::size_t count = 0;
    auto* done = rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(event), &count);
    const char* text = count == 1 ? rd_kafka_ConfigResource_error_string(done[0]) : "no answer";
    return text == nullptr ? "" : text;
  };
  admin_call(client_.get(), "alter topic " + name, call, check);
  rd_kafka_ConfigResource_destroy(resource);
}

void Admin::delete_topics(const std::vector<std::string>& names) {
  std::vector<rd_kafka_DeleteTopic_t*> topics;
  for (const std::string& name : names) topics.push_back(rd_kafka_DeleteTopic_new(name.c_str()));
  auto call = [&](rd_kafka_queue_t* queue) {
    rd_kafka_DeleteTopics(client_.get(), topics.data(), topics.size(), nullptr, queue);
  };
  auto check = [](rd_kafka_event_t* event) {
    std::size_t count = 0;
    auto* results = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count);
    return first_failure(results, count);
  };
  if (!topics.empty()) admin_call(client_.get(), "delete topics", call, check);
  rd_kafka_DeleteTopic_destroy_array(topics.data(), topics.size());
}

void Admin::delete_records(const std::string& topic, std::int32_t partition, std::int64_t offset) {
  PartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = offset;
  rd_kafka_DeleteRecords_t* request = rd_kafka_DeleteRecords_new(list.get());
  auto call = [&](rd_kafka_queue_t* queue) {
    rd_kafka_DeleteRecords(client_.get(), &request, 1, nullptr, queue);
  };
  auto check = [&](rd_kafka_event_t* event) -> std::string {
    auto* done = rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event));
    if (done->elems[0].err != RD_KAFKA_RESP_ERR_NO_ERROR) return rd_kafka_err2str(done->elems[0].err);
    if (done->elems[0].offset != offset) return fmt::format("the log starts at {}", done->elems[0].offset);
    return {};
  };
  admin_call(client_.get(), fmt::format("delete records of {}-{} up to {}", topic, partition, offset), call,
             check);
  rd_kafka_DeleteRecords_destroy(request);
}

namespace {
using Metadata = std::unique_ptr<const rd_kafka_metadata_t, void (*)(const rd_kafka_metadata_t*)>;

Metadata fetch_metadata(rd_kafka_t* client) {
  const rd_kafka_metadata_t* metadata = nullptr;
  require(rd_kafka_metadata(client, 1, nullptr, &metadata, timeout_ms), "list topics");
  return Metadata(metadata, rd_kafka_metadata_destroy);
}
}  // namespace

std::vector<std::string> Admin::topics() {
  Metadata metadata = fetch_metadata(client_.get());
  std::vector<std::string> names;
  for (int i = 0; i < metadata->topic_cnt; i++) {
    std::string name = metadata->topics[i].topic;
    if (!name.starts_with("__")) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::int32_t Admin::partition_count(const std::string& topic) {
  Metadata metadata = fetch_metadata(client_.get());
  for (int i = 0; i < metadata->topic_cnt; i++) {
    if (metadata->topics[i].topic == topic) return metadata->topics[i].partition_cnt;
  }
  throw std::runtime_error("there is no topic " + topic);
}

}  // namespace tool
