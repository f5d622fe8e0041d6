// What a worker tells the operator at its end, from what the engine says. Pure, but for points_of().
#pragma once
#include "api/job.h"
#include "archive/archive.h"
#include "engine/backup.h"
#include "engine/continuous.h"
#include "engine/restore.h"

namespace kb::cli {

api::WorkReport work_report(const engine::BackupReport& report);
// Of one that was stopped.
api::WorkReport work_report(const engine::ContinuousReport& report);
api::WorkReport work_report(const engine::RestoreReport& report);
api::WorkReport work_report(const Error& error);

api::ReportedRetention reported(const engine::RetentionReport& retention);

// What the archive holds now; lists it, and reads documents only where their size leaves it open what they
// are.
api::ReportedPoints points_of(const Context& ctx, const archive::Archive& archive);

}  // namespace kb::cli
