#include "kafka/aborted_transactions.h"

#include <deque>
#include <map>

#include "base/error.h"
#include "kafka/record_generator.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::kafka;

namespace {

constexpr std::int16_t abort_marker = 0, commit_marker = 1;

std::string data(std::int64_t offset, std::int64_t producer_id, bool transactional, std::int64_t count = 1) {
  return make_batch(offset, RecordGenerator(1).records(offset, count, false, 5),
                    {.more_attributes = transactional ? RecordBatch::transactional_bit : std::int16_t{0},
                     .producer = {producer_id, 0, 0}});
}

std::string marker(std::int64_t offset, std::int64_t producer_id, std::int16_t type) {
  char key[4];
  write_big_endian(key, std::int16_t{0});
  write_big_endian(key + 2, type);
  return make_batch(offset, {OwnedRecord{offset, 5, std::string(key, 4), std::string(6, '\0'), {}}},
                    {.more_attributes = RecordBatch::transactional_bit | RecordBatch::control_bit,
                     .producer = {producer_id, 0, -1}});
}

}  // namespace

TEST_CASE("control batches say what they are") {
  CHECK_EQ(control_type(RecordBatch::whole(marker(3, 1, abort_marker))), ControlType::abort);
  CHECK_EQ(control_type(RecordBatch::whole(marker(3, 1, commit_marker))), ControlType::commit);
  CHECK_EQ(control_type(RecordBatch::whole(marker(3, 1, 2))), ControlType::other);
  const auto without_key =
      make_batch(9, {OwnedRecord{9, 0, {}, {}, {}}}, {.more_attributes = RecordBatch::control_bit});
  CHECK_THROWS_WITH_AS(control_type(RecordBatch::whole(without_key)),
                       "the control batch at offset 9 has no type", Error);
}

TEST_CASE("an aborted transaction hides its producer's batches from its first offset to its marker") {
  AbortedTransactions transactions(
      {{.producer_id = 1, .first_offset = 10}, {.producer_id = 1, .first_offset = 16}});
  const auto fate = [&](const std::string& bytes) { return transactions.fate(RecordBatch::whole(bytes)); };
  CHECK_EQ(fate(data(8, 1, true, 2)), BatchFate::keep);  // of an earlier, committed transaction
  CHECK_EQ(fate(data(10, 1, true)), BatchFate::aborted);
  CHECK_EQ(fate(data(11, 2, true)), BatchFate::keep);
  CHECK_EQ(fate(data(12, 1, false)), BatchFate::keep);  // not transactional
  CHECK_EQ(fate(data(13, 1, true)), BatchFate::aborted);
  CHECK_EQ(fate(marker(14, 1, abort_marker)), BatchFate::control);
  CHECK_EQ(fate(data(15, 1, true)), BatchFate::keep);
  CHECK_EQ(fate(data(16, 1, true)), BatchFate::aborted);
  CHECK_EQ(fate(marker(17, 2, commit_marker)), BatchFate::control);
  CHECK_EQ(fate(data(18, 1, true)), BatchFate::aborted);
  CHECK_EQ(fate(marker(19, 1, abort_marker)), BatchFate::control);
  CHECK_EQ(fate(data(20, 1, true)), BatchFate::keep);
}

TEST_CASE("an answer that begins inside of an aborted transaction lists it with its first offset before") {
  AbortedTransactions transactions({{.producer_id = 7, .first_offset = 2}});
  CHECK_EQ(transactions.fate(RecordBatch::whole(data(50, 7, true))), BatchFate::aborted);
}

TEST_CASE("random interleavings agree with who committed, however the log is cut into answers") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    RecordGenerator random(seed);
    struct Transaction {
      std::int64_t first_offset;
      std::vector<std::size_t> batches;
    };
    struct Entry {
      std::string bytes;
      BatchFate fate = BatchFate::keep;
    };
    std::vector<Entry> log;
    std::map<std::int64_t, Transaction> open;
    struct Aborted {
      AbortedTransaction transaction;
      std::int64_t marker_offset;
    };
    std::vector<Aborted> aborted;
    std::int64_t offset = 0;
    const auto end_transaction = [&](std::int64_t producer_id, bool commit) {
      const auto transaction = open.extract(producer_id).mapped();
      if (!commit) {
        for (const auto index : transaction.batches) log[index].fate = BatchFate::aborted;
        aborted.push_back({{producer_id, transaction.first_offset}, offset});
      }
      log.push_back(
          {marker(offset++, producer_id, commit ? commit_marker : abort_marker), BatchFate::control});
    };
    for (int step = 0; step < 120; ++step) {
      const auto producer_id = random.between(0, 4);
      if (open.contains(producer_id) && random.one_in(4)) {
        end_transaction(producer_id, random.one_in(2));
        continue;
      }
      const bool transactional = producer_id != 0;
      if (transactional)
        open.try_emplace(producer_id, Transaction{offset, {}}).first->second.batches.push_back(log.size());
      const auto count = random.between(1, 3);
      log.push_back({data(offset, producer_id, transactional, count)});
      offset += count;
    }
    while (!open.empty()) end_transaction(open.begin()->first, random.one_in(2));
    for (std::size_t from = 0; from < log.size();) {
      const auto to = std::min(log.size(), from + static_cast<std::size_t>(random.between(1, 40)));
      const auto first = RecordBatch::whole(log[from].bytes).base_offset();
      const auto last = RecordBatch::whole(log[to - 1].bytes).last_offset();
      std::vector<AbortedTransaction> overlapping;
      for (const auto& [transaction, marker_offset] : aborted)
        if (transaction.first_offset <= last && marker_offset >= first) overlapping.push_back(transaction);
      AbortedTransactions transactions(overlapping);
      for (; from < to; ++from)
        REQUIRE_EQ(transactions.fate(RecordBatch::whole(log[from].bytes)), log[from].fate);
    }
  }
}
