// What the operator is told at its start. Every flag is declared once, in settings.cc; each can be given in
// the environment as well.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <boost/json/value.hpp>

#include "base/context.h"
#include "net/endpoint.h"

namespace kb::op {

struct WorkerDefaults {
  std::string image;
  std::string image_pull_policy = "IfNotPresent";
  std::vector<std::string> image_pull_secrets;
  boost::json::value resources;                  // of the worker's container; null: the built-in ones
  std::optional<std::int64_t> fs_group = 65532;  // of the pods; none: the cluster's own rules decide
  std::string service_account;                   // in the namespace of the resource; empty: its default one
};

struct Settings {
  Endpoint metrics_address{"0.0.0.0", 8080};
  std::size_t partition_labels_max = 100;     // on the page, of each KafkaBackup; 0: all
  std::vector<std::string> watch_namespaces;  // empty: all
  WorkerDefaults worker;
  std::string operator_namespace = "kafka-backup-system";
  std::string identity;  // unique for this process
  bool leader_elect = true;
  std::string lease_name = "kafka-backup-operator-leader";
  Duration lease_duration = std::chrono::seconds(15);
  Duration renew_deadline = std::chrono::seconds(10);
  Duration retry_period = std::chrono::seconds(2);
  std::string log_level = "info";
  std::string log_format = "json";
  std::size_t reconcilers = 2;  // threads
};

// The settings, or a text to print and be done (--help, --version). Flags win over the environment. Throws
// invalid that names the flag or variable.
std::variant<Settings, std::string> read_settings(const std::vector<std::string>& arguments);

}  // namespace kb::op
