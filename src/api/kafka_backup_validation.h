// KafkaBackupValidation: evidence that a backup is what it says. Source: the CRD of kafka.oso.sh/v1alpha1.
// Defaults are the member initialisers.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/kafka_cluster.h"
#include "api/kafka_restore.h"
#include "api/storage.h"
#include "schema/field.h"
#include "schema/problems.h"

namespace kb::api {

struct MessageCountCheck {
  bool enabled = true;
  std::optional<std::uint64_t> fail_threshold;
  std::vector<std::string> topics;

  void fields(auto& f) {
    f("enabled", enabled, "Compare the number of records of each topic with the cluster.");
    f("failThreshold", fail_threshold, "Records that may be missing before the check fails.");
    f("topics", topics, "Topics to count; empty is all of the backup.");
  }
};

struct OffsetRangeCheck {
  bool enabled = true;

  void fields(auto& f) { f("enabled", enabled, "Compare the first and last offsets with the cluster."); }
};

struct ConsumerGroupOffsetsCheck {
  bool enabled = true;
  std::vector<std::string> consumer_groups;

  void fields(auto& f) {
    f("enabled", enabled, "Compare the committed offsets of consumer groups with the cluster.");
    f("consumerGroups", consumer_groups, "Consumer groups; empty is all of the backup.");
  }
};

struct CustomWebhook {
  std::string name;
  std::string url;
  std::uint64_t timeout_secs = 120;
  std::uint16_t expected_status_code = 200;

  void fields(auto& f) {
    f.required("name", name, "Name of the check.");
    f.required("url", url, "URL that is asked; its answer decides.", {.non_empty = true});
    f("timeoutSecs", timeout_secs, "Seconds it may take.", {.min = 1, .max = 86400});
    f("expectedStatusCode", expected_status_code, "HTTP status that counts as passed.",
      {.min = 100, .max = 599});
  }
  void check(schema::Check& check) const;
};

struct ValidationChecks {
  std::optional<MessageCountCheck> message_count;
  std::optional<OffsetRangeCheck> offset_range;
  std::optional<ConsumerGroupOffsetsCheck> consumer_group_offsets;
  std::vector<CustomWebhook> custom_webhooks;

  void fields(auto& f) {
    f("messageCount", message_count, "Records of each topic.");
    f("offsetRange", offset_range, "First and last offsets.");
    f("consumerGroupOffsets", consumer_group_offsets, "Committed offsets.");
    f("customWebhooks", custom_webhooks, "Checks of your own.");
  }
  void check(schema::Check& check) const;
};

struct SigningKeySecret {
  std::string name;
  std::string private_key_key = "signing-key.pem";
  std::string public_key_key = "signing-key-pub.pem";

  void fields(auto& f) {
    f.required("name", name, "Secret with a key pair in PEM.");
    f("privateKeyKey", private_key_key, "Key of the private key.");
    f("publicKeyKey", public_key_key, "Key of the public key.");
  }
  void check(schema::Check& check) const;
};

struct EvidenceSigning {
  bool enabled = false;
  SigningKeySecret key_secret;

  void fields(auto& f) {
    f("enabled", enabled, "Sign the report.");
    f.required("keySecret", key_secret, "What it is signed with.");
  }
};

enum class EvidenceFormat { json, pdf };
constexpr auto enum_names(EvidenceFormat) {
  return std::array<std::string_view, 2>{"json", "pdf"};
}

struct Evidence {
  std::vector<EvidenceFormat> formats = {EvidenceFormat::json};
  std::optional<EvidenceSigning> signing;
  std::optional<Storage> storage;
  std::uint32_t retention_days = 90;

  void fields(auto& f) {
    f("formats", formats, "Forms of the report.");
    f("signing", signing, "A signature over the report.");
    f("storage", storage, "Where the report goes; beside the backup when absent.");
    f("retentionDays", retention_days, "Days that a report is kept.");
  }
};

struct SecretKeyRef {
  std::string name;
  std::string key;

  void fields(auto& f) {
    f.required("name", name, "Secret.");
    f.required("key", key, "Key in that secret.");
  }
  void check(schema::Check& check) const;
};

struct SlackNotification {
  SecretKeyRef webhook_secret;

  void fields(auto& f) { f.required("webhookSecret", webhook_secret, "Where the webhook's URL is."); }
};

struct PagerdutyNotification {
  SecretKeyRef routing_key_secret;
  std::string severity = "critical";

  void fields(auto& f) {
    f.required("routingKeySecret", routing_key_secret, "Where the routing key is.");
    f("severity", severity, "Severity of the alert.");
  }
};

struct Notifications {
  std::optional<SlackNotification> slack;
  std::optional<PagerdutyNotification> pagerduty;

  void fields(auto& f) {
    f("slack", slack, "A message to Slack.");
    f("pagerduty", pagerduty, "An alert in PagerDuty.");
  }
};

struct KafkaBackupValidationSpec {
  BackupRef backup_ref;
  std::optional<KafkaCluster> kafka_cluster;
  ValidationChecks checks;
  std::optional<Evidence> evidence;
  std::optional<Notifications> notifications;
  std::optional<std::string> schedule;
  bool suspend = false;

  void fields(auto& f) {
    f.required("backupRef", backup_ref, "The backup.");
    f("kafkaCluster", kafka_cluster, "The cluster to compare with.");
    f.required("checks", checks, "What is checked; at least one.");
    f("evidence", evidence, "A report that can be kept.");
    f("notifications", notifications, "Who is told.");
    f("schedule", schedule, "Cron schedule in UTC; one run when absent.");
    f("suspend", suspend, "Start no new runs.");
  }
  void check(schema::Check& check) const;
};

}  // namespace kb::api
