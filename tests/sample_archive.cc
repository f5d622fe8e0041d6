// sample_archive DIRECTORY: writes the archive of KafkaBackup default/a with two backups of topic "orders"
// into a directory that is there, for tests that need an archive and no broker.
#include <cstdio>
#include <exception>

#include "base/error.h"
#include "engine/verify_archive.h"
#include "storage/open.h"

int main(int argc, char** argv) try {
  using namespace kb;
  if (argc != 2) fail(ErrorKind::invalid, "usage: sample_archive DIRECTORY");
  engine::VerifyArchive made;
  made.offsets_per_segment = 50;
  made.back_up("a-20250101-000001", 0, 100);
  made.back_up("a-20250102-000001", 100, 150);
  auto store = storage::open_filesystem(argv[1]);
  for (const auto& object : made.store->list({}, ""))
    store->put_if_absent({}, object.key, *made.store->get({}, object.key));
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "sample_archive: %s\n", e.what());
  return 1;
}
