#include "operator/settings.h"

#include <array>
#include <charconv>
#include <random>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "base/error.h"
#include "base/version.h"
#include "schema/schema.h"

namespace kb::op {
namespace {

constexpr std::string_view about =
    "Reconciles the resources of kafka.oso.sh/v1alpha1: plans their runs and has each done by a Kubernetes "
    "Job. "
    "Every flag can be given in the environment as well.";

// As they are given; texts are understood afterwards.
struct Given {
  std::string metrics_address = "0.0.0.0:8080";
  std::string watch_namespaces, worker_image, worker_image_pull_policy = "IfNotPresent",
                                              worker_image_pull_secrets;
  std::string worker_resources, worker_service_account, worker_fs_group = "65532";
  std::string leader_elect = "true", lease_name = "kafka-backup-operator-leader";
  std::string lease_duration = "15s", renew_deadline = "10s", retry_period = "2s";
  std::string operator_namespace = "kafka-backup-system", identity;
  std::string log_level = "info", log_format = "json";
  std::size_t reconcilers = 2, partition_labels_max = 100;
};

void declare(CLI::App& app, Given& given) {
  auto text = [&](const char* flag, const char* variable, std::string& value, const char* description) {
    app.add_option(flag, value, description)->envname(variable)->capture_default_str();
  };
  text("--metrics-address", "METRICS_ADDRESS", given.metrics_address,
       "Where /metrics, /healthz and /readyz are served");
  text("--watch-namespaces", "WATCH_NAMESPACES", given.watch_namespaces,
       "Only these, separated by commas; empty: all");
  text("--worker-image", "WORKER_IMAGE", given.worker_image, "Image of the workers' pods");
  text("--worker-image-pull-policy", "WORKER_IMAGE_PULL_POLICY", given.worker_image_pull_policy,
       "Its pull policy");
  text("--worker-image-pull-secrets", "WORKER_IMAGE_PULL_SECRETS", given.worker_image_pull_secrets,
       "Its pull secrets, separated by commas; they are those of the resource's namespace");
  text("--worker-resources", "WORKER_RESOURCES", given.worker_resources,
       "Requests and limits of workers whose resource says nothing, as JSON");
  text("--worker-service-account", "WORKER_SERVICE_ACCOUNT", given.worker_service_account,
       "Service account of workers whose resource says nothing");
  text("--worker-fs-group", "WORKER_FS_GROUP", given.worker_fs_group,
       "Group that volumes of workers belong to; empty: the cluster decides, as OpenShift does");
  text("--leader-elect", "LEADER_ELECTION_ENABLED", given.leader_elect, "Whether replicas elect a leader");
  text("--lease-name", "LEADER_ELECTION_LEASE_NAME", given.lease_name, "Name of the Lease");
  text("--lease-duration", "LEADER_ELECTION_LEASE_DURATION", given.lease_duration,
       "After it others may take over");
  text("--renew-deadline", "LEADER_ELECTION_RENEW_DEADLINE", given.renew_deadline,
       "After it the leader gives up");
  text("--retry-period", "LEADER_ELECTION_RETRY_PERIOD", given.retry_period, "Between two attempts");
  text("--namespace", "OPERATOR_NAMESPACE", given.operator_namespace, "Namespace of the Lease");
  text("--identity", "HOSTNAME", given.identity, "Name of this replica");
  text("--log-level", "RUST_LOG", given.log_level,
       "trace, debug, info, warn, error, off; or info,kafka_backup_operator=debug");
  text("--log-format", "LOG_FORMAT", given.log_format, "json or text");
  app.add_option(
         "--metrics-max-partition-labels", given.partition_labels_max,
         "Partitions of a continuous backup with time series of their own, those that lag most; 0: all")
      ->envname("METRICS_MAX_PARTITION_LABELS")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  app.add_option("--reconcilers", given.reconcilers, "Resources that are reconciled at the same time")
      ->envname("RECONCILERS")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> items;
  std::istringstream in(text);
  for (std::string item; std::getline(in, item, ',');) {
    auto begin = item.find_first_not_of(" \t"), end = item.find_last_not_of(" \t");
    if (begin != std::string::npos) items.push_back(item.substr(begin, end - begin + 1));
  }
  return items;
}

// "15s", "500ms", "2m", "15".
Duration read_duration(const std::string& flag, const std::string& text) {
  std::uint32_t number = 0;
  const auto* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, number);
  const std::string unit(rest, end);
  if (error == std::errc() && number > 0) {
    if (unit == "s" || unit.empty()) return std::chrono::seconds(number);
    if (unit == "ms") return std::chrono::milliseconds(number);
    if (unit == "m") return std::chrono::minutes(number);
  }
  fail(ErrorKind::invalid, "{}: '{}' is not a duration such as 15s", flag, text);
}

std::optional<std::int64_t> read_group(const std::string& text) {
  if (text.empty()) return std::nullopt;
  std::int64_t group = 0;
  const auto* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, group);
  if (error != std::errc() || rest != end || group < 0)
    fail(ErrorKind::invalid, "--worker-fs-group: '{}' is not the number of a group", text);
  return group;
}

bool read_flag(const std::string& flag, const std::string& text) {
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  fail(ErrorKind::invalid, "{}: '{}' is neither true nor false", flag, text);
}

// "info,kube=warn,kafka_backup_operator=debug": what is said of us, else what is said of all.
std::string read_level(const std::string& text) {
  constexpr std::array<std::string_view, 6> levels = {"trace", "debug", "info", "warn", "error", "off"};
  std::string of_all, of_us;
  for (const auto& item : split(text)) {
    auto equals = item.find('=');
    auto level = equals == std::string::npos ? item : item.substr(equals + 1);
    if (std::find(levels.begin(), levels.end(), level) == levels.end())
      fail(ErrorKind::invalid, "--log-level: '{}' is none of trace, debug, info, warn, error, off", level);
    if (equals == std::string::npos) of_all = level;
    if (item.starts_with("kafka_backup")) of_us = level;
  }
  return !of_us.empty() ? of_us : !of_all.empty() ? of_all : "info";
}

// Two processes may have one name: a pod that was started again.
std::string unique_identity(const std::string& name) {
  std::random_device random;
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return fmt::format("{}_{:08x}", name.empty() ? host.data() : name, random());
}

boost::json::value read_resources(const std::string& text) {
  if (text.empty()) return nullptr;
  auto value = schema::parse_json(text, "--worker-resources");
  if (!value.is_object())
    fail(ErrorKind::invalid, "--worker-resources: must be an object with requests and limits");
  return value.get_object().empty() ? boost::json::value() : value;
}

Settings understand(const Given& given) {
  Settings settings;
  settings.metrics_address = parse_endpoint(given.metrics_address);
  settings.watch_namespaces = split(given.watch_namespaces);
  settings.worker = {.image = given.worker_image,
                     .image_pull_policy = given.worker_image_pull_policy,
                     .image_pull_secrets = split(given.worker_image_pull_secrets),
                     .resources = read_resources(given.worker_resources),
                     .fs_group = read_group(given.worker_fs_group),
                     .service_account = given.worker_service_account};
  if (settings.worker.image.empty())
    throw Error(ErrorKind::invalid, "--worker-image is missing", "the Helm chart sets WORKER_IMAGE");
  settings.operator_namespace = given.operator_namespace;
  settings.identity = unique_identity(given.identity);
  settings.partition_labels_max = given.partition_labels_max;
  settings.leader_elect = read_flag("--leader-elect", given.leader_elect);
  settings.lease_name = given.lease_name;
  settings.lease_duration = read_duration("--lease-duration", given.lease_duration);
  settings.renew_deadline = read_duration("--renew-deadline", given.renew_deadline);
  settings.retry_period = read_duration("--retry-period", given.retry_period);
  if (!(settings.retry_period < settings.renew_deadline && settings.renew_deadline < settings.lease_duration))
    fail(ErrorKind::invalid,
         "--retry-period must be shorter than --renew-deadline, and that than --lease-duration");
  settings.log_level = read_level(given.log_level);
  if (given.log_format != "json" && given.log_format != "text")
    fail(ErrorKind::invalid, "--log-format: '{}' is neither json nor text", given.log_format);
  settings.log_format = given.log_format;
  settings.reconcilers = given.reconcilers;
  return settings;
}

}  // namespace

std::variant<Settings, std::string> read_settings(const std::vector<std::string>& arguments) {
  Given given;
  CLI::App app{std::string(about), "kafka-backup-operator"};
  app.set_version_flag("--version", fmt::format("kafka-backup-operator {}", program_version),
                       "Print the version");
  declare(app, given);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::Success& asked_for_text) {
    std::ostringstream text;
    app.exit(asked_for_text, text, text);
    return text.str();
  } catch (const CLI::ParseError& error) {
    throw Error(ErrorKind::invalid, error.what(), "kafka-backup-operator --help");
  }
  return understand(given);
}

}  // namespace kb::op
