#include "api/kafka_backup_validation.h"

#include "api/name_checks.h"

namespace kb::api {

void CustomWebhook::check(schema::Check& check) const {
  if (!url.starts_with("http://") && !url.starts_with("https://"))
    check.problem("url", "must be a URL that starts with https:// or http://, not '{}'", url);
}

void ValidationChecks::check(schema::Check& check) const {
  const bool any = (message_count && message_count->enabled) || (offset_range && offset_range->enabled) ||
                   (consumer_group_offsets && consumer_group_offsets->enabled) || !custom_webhooks.empty();
  if (!any) check.problem("messageCount", "or another check must be enabled");
}

void SigningKeySecret::check(schema::Check& check) const {
  check_object_name(check, "name", name);
  check_secret_key(check, "privateKeyKey", private_key_key);
  check_secret_key(check, "publicKeyKey", public_key_key);
}

void SecretKeyRef::check(schema::Check& check) const {
  check_object_name(check, "name", name);
  check_secret_key(check, "key", key);
}

void KafkaBackupValidationSpec::check(schema::Check& check) const {
  check_schedule(check, "schedule", schedule);
  if (checks.consumer_group_offsets && checks.consumer_group_offsets->enabled && !kafka_cluster)
    check.problem("kafkaCluster", "is required by checks.consumerGroupOffsets");
}

}  // namespace kb::api
