#include "api/kafka_offset_rollback.h"

#include "api/name_checks.h"

namespace kb::api {

void SnapshotRef::check(schema::Check& check) const {
  if (name.empty() && !path && !restore_ref && !offset_reset_ref)
    check.problem("name", "is required unless path, restoreRef or offsetResetRef is given");
  if (pvc_name) check_object_name(check, "pvcName", *pvc_name);
  if (restore_ref) check_object_name(check, "restoreRef", *restore_ref);
  if (offset_reset_ref) check_object_name(check, "offsetResetRef", *offset_reset_ref);
}

}  // namespace kb::api
