// Answers the operator's question how far a worker is.
#pragma once
#include <atomic>
#include <string>

#include "api/job.h"
#include "base/context.h"
#include "engine/progress_counters.h"
#include "net/http_server.h"

namespace kb::cli {

// At all addresses. Serves /progress (JSON of api::WorkProgress) and /healthz from construction to
// destruction. `counters` outlive it.
class WorkerServer {
 public:
  WorkerServer(int port, std::string phase, const engine::ProgressCounters& counters);
  int port() const { return server_.port(); }

 private:
  HttpPage page(std::string_view path);
  api::WorkProgress progress();

  const std::string phase_;
  const engine::ProgressCounters& counters_;
  const Clock::time_point begun_ = Clock::now();
  std::atomic<std::uint64_t> checkpoints_seen_ = 0;
  std::atomic<std::int64_t> checkpoint_s_ = 0;
  HttpServer server_;  // last: its thread uses the others
};

}  // namespace kb::cli
