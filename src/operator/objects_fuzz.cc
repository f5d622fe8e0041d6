// Any bytes as the list of objects that an API server gives, then as an event of its watch: each object is
// refused as corrupt or decided about, as a backup and as a restore with all that came beside it as its Jobs
// and pods.
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "kube/list_page.h"
#include "operator/backup_decision.h"
#include "operator/distrust.h"
#include "operator/restore_decision.h"
#include "operator/spec_reading.h"
#include "schema/schema.h"

namespace {
using namespace kb;
using namespace kb::op;

struct Beside {
  std::vector<JobView> jobs;
  std::vector<PodView> pods;
};

const Timestamp now = Timestamp(std::chrono::seconds(1'790'000'000));

template <class Input, class Reading>
Input input_of(const ResourceView& resource, Reading reading, const Beside& beside) {
  Input input{.resource = resource, .spec = std::move(reading.spec), .problems = std::move(reading.problems)};
  input.jobs = beside.jobs;
  input.pods = beside.pods;
  input.now = now;
  return input;
}

void decide(kube::json::value object, const Beside& beside) {
  trim_resource(object);
  for (std::string_view kind : {"KafkaBackup", "KafkaRestore"}) {
    auto resource = read_resource_view(kind, object);
    distrust_status(resource);
    if (kind == "KafkaBackup")
      schema::write(
          decide_backup(input_of<BackupInput>(resource, read_backup_spec(resource), beside)).status);
    else
      schema::write(
          decide_restore(input_of<RestoreInput>(resource, read_restore_spec(resource), beside)).status);
  }
}

// What the reflector does to each object of a list alone.
template <class Action>
void alone(Action action) {
  try {
    action();
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::corrupt);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  alone([&] { kube::parse_event(text); });
  alone([&] {
    const auto page = kube::split_list(text);
    Beside beside;
    std::vector<kube::json::value> objects;
    for (auto item : page.items) alone([&] { objects.push_back(kube::parse_object(item)); });
    for (const auto& object : objects) {
      auto job = object, pod = object;
      trim_job(job);
      trim_pod(pod);
      beside.jobs.push_back(read_job(job));
      beside.pods.push_back(read_pod(pod));
    }
    for (auto& object : objects) decide(std::move(object), beside);
  });
  return 0;
}
