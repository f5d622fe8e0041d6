// The openings of a continuous backup's runs: which logs are followed from where, and what a restore point
// says beside the records. Pure, but for ask_cluster_for().
#pragma once
#include <map>
#include <optional>
#include <string>

#include "archive/open_run.h"
#include "engine/backup_plan.h"

namespace kb::engine {

// What the cluster says at one time.
struct Asked {
  ChosenTopics chosen;
  archive::Plan plan;  // as if it were read up to the ends of now
  std::int64_t time_ms() const { return plan.capture.captured_at_ms; }
};

// `held` is what the archive holds by then, as of `held_until_ms`; empty for nothing.
Asked ask_cluster_for(const Context& ctx, kafka::Cluster& cluster, const BackupRequest& request,
                      const std::string& backup_id, const std::string& archive_id,
                      std::optional<archive::Set> held, std::int64_t held_until_ms);

// What a run that has stored so much comes to, as a set to build on: with the epochs and sizes of its
// streams.
archive::Set held_by(const archive::Plan& opening, const archive::Index& stored);

// Lower bounds that retention has raised, by stream.
using RaisedStarts = std::map<archive::StreamId, std::int64_t>;
// The opening of a run that goes on where `base` ends. A continuous archive keeps what the topics let go.
archive::Plan make_opening(const Asked& asked, const std::optional<Base>& base, const RaisedStarts& raised);

// Whether `now` has all that the logs had when they were asked about.
bool covers(const archive::Capture& now, const archive::Capture& asked);

// A topic that a run was opened with and that is not among those of now; empty when all are.
std::string vanished_topic(const ChosenTopics& now, const archive::Capture& opened);

// Whether the topics are others than those that a run was opened with.
bool are_other_topics(const ChosenTopics& now, const archive::Capture& opened);

// Whether a restore point would say something new, though no record came: other groups, settings, ACLs,
// quotas or partitions.
bool says_something_new(const archive::Capture& now, const std::optional<Base>& base);

// Where each stream starts when records older than `oldest_ms` may go; only where that is later than now.
RaisedStarts starts_without_older(const archive::Set& set, const archive::Index& index,
                                  std::int64_t oldest_ms);

}  // namespace kb::engine
