// Events of an object as `kubectl describe` shows them
// (https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/; written to core/v1).
#pragma once
#include <memory>
#include <string>

#include "kube/api.h"

namespace kb::kube {

enum class EventType { normal, warning };

struct EventSubject {
  std::string api_version, kind, resource_namespace, name, uid, resource_version;
};

// Repetitions of the same event (subject, reason, message) within ten minutes become a count of the first.
// Failures to write are logged, not thrown. At most 10 events a second are written, the others are counted in
// a log line; at most 1,000 are remembered for counting. Messages are cut at 1,000 bytes (the server's limit
// is 1,024), at a character's end. Thread-safe.
class EventRecorder {
 public:
  EventRecorder(Api& api, std::string component, std::string instance);
  ~EventRecorder();
  void record(const Context& ctx, const EventSubject& subject, EventType type, std::string_view reason,
              std::string_view message);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kb::kube
