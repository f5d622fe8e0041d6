#include "archive/layout.h"

#include "base/error.h"
#include "storage/object_key.h"

#include <doctest/doctest.h>

namespace kb::archive {

TEST_CASE("every name of an archive tells its run") {
  const std::string id = "nightly-20250101-000000";
  const auto hash = std::string(64, 'a');
  for (const auto& key :
       {pin_key(id, "base-20240101-000000"), plan_key(id), checkpoint_key(id, 2, 13),
        segment_key(id, 2, 13, 4), index_key(id, hash), decision_key(id), tombstone_key(id)}) {
    CHECK(backup_id_of(key) == id);
    CHECK(storage::is_valid_key(key));
  }
  CHECK(header_key() == "archive");
  CHECK(pin_key(id, "b") == "pins/nightly-20250101-000000/b");
  CHECK(plan_key(id) == "runs/nightly-20250101-000000/plan");
  CHECK(checkpoint_key(id, 2, 13) == "runs/nightly-20250101-000000/2/00000013");
  CHECK(segment_key(id, 2, 13, 4) == "segments/nightly-20250101-000000/2-00000013-00000004");
  CHECK(index_key(id, hash) == "indexes/nightly-20250101-000000/" + std::string(32, 'a'));
  CHECK(decision_key(id) == "sets/nightly-20250101-000000");
  CHECK(tombstone_key(id) == "tombstones/nightly-20250101-000000");
  for (auto foreign : {"archive", "x/y", "sets/", "sets", "/sets/x"}) CHECK_FALSE(backup_id_of(foreign));
  CHECK(last_part("pins/a/b") == "b");
  CHECK(last_part("archive") == "archive");
}

TEST_CASE("a backup id ends with its time and can be part of a name") {
  CHECK(time_of("nightly-20250131-235959") == "20250131-235959");
  CHECK(time_of("a-b.c-20250131-235959") == "20250131-235959");
  for (auto wrong : {"", "nightly", "-20250131-235959", "20250131-235959", "nightly-2025013-235959",
                     "nightly-20250131-23595x", "nightly-20250131_235959", "nightly-20250131-235959 ",
                     "a/b-20250131-235959", "a b-20250131-235959", "\xc3\xa4-20250131-235959"})
    CHECK_THROWS_AS(time_of(wrong), Error);
}

TEST_CASE("backup ids are made of UTC") {
  CHECK(make_backup_id("nightly", 0) == "nightly-19700101-000000");
  CHECK(make_backup_id("nightly", 1'735'689'599'999) == "nightly-20241231-235959");
  CHECK(make_backup_id("nightly", 1'735'689'600'000) == "nightly-20250101-000000");
}

}  // namespace kb::archive
