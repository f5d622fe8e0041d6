// How fast batches are walked, checked, re-stamped, read and merged. Bytes per second count what is stored.
#include <benchmark/benchmark.h>

#include "kafka/rebatch.h"
#include "kafka/record_generator.h"

namespace {

using namespace kb::kafka;

// About `bytes_min` of batches with records of `record_bytes`, half of which is compressible.
std::string partition(std::size_t bytes_min, std::int64_t records_per_batch, std::size_t record_bytes,
                      CompressionType codec) {
  RecordGenerator random(1);
  std::string bytes;
  for (std::int64_t offset = 0; bytes.size() < bytes_min; offset += records_per_batch) {
    RecordBatchBuilder builder(offset);
    for (std::int64_t index = 0; index < records_per_batch; ++index) {
      std::string value = random.bytes(record_bytes / 2);
      value.resize(record_bytes, 'x');
      builder.add(
          Record{.offset = offset + index, .timestamp = 1'700'000'000'000 + offset + index, .value = value});
    }
    bytes += builder.batch({.codec = codec});
  }
  return bytes;
}

constexpr std::size_t total_bytes = 16 * 1024 * 1024;

void walk_and_check(benchmark::State& state) {
  const auto bytes = partition(total_bytes, state.range(0), 100, CompressionType::none);
  for (auto _ : state) {
    std::string_view rest = bytes;
    while (const auto batch = next_batch(rest)) benchmark::DoNotOptimize(batch->crc_matches());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes.size()));
}
BENCHMARK(walk_and_check)->Arg(1)->Arg(100)->Arg(1000);

void restamp_one(benchmark::State& state) {
  auto bytes = partition(1, state.range(0), 100, CompressionType::none);
  for (auto _ : state) restamp(bytes, {.producer_id = 1, .producer_epoch = 2, .base_sequence = 3});
}
BENCHMARK(restamp_one)->Arg(1)->Arg(10'000);

void read_records(benchmark::State& state) {
  const auto bytes = partition(total_bytes, 1000, 100, static_cast<CompressionType>(state.range(0)));
  state.SetLabel(std::string(name(static_cast<CompressionType>(state.range(0)))));
  std::string scratch;
  for (auto _ : state) {
    std::string_view rest = bytes;
    while (const auto batch = next_batch(rest)) {
      RecordReader reader(*batch, inflate_records(*batch, scratch, total_bytes));
      for (RecordFrame frame; reader.next(frame);) benchmark::DoNotOptimize(frame);
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes.size()));
}
BENCHMARK(read_records)->DenseRange(0, 4);

void rebatch(benchmark::State& state, const std::string& stored, const RebatchSettings& settings) {
  auto bytes = stored;
  std::int64_t outputs = 0;
  for (auto _ : state) {
    Rebatcher rebatcher(settings);
    const auto take_all = [&] {
      for (; auto output = rebatcher.take(); ++outputs) benchmark::DoNotOptimize(output->bytes.data());
    };
    for (std::size_t at = 0; at < bytes.size();) {
      std::string_view rest = std::string_view(bytes).substr(at);
      const auto size = next_batch(rest)->size_bytes();
      rebatcher.add({.bytes = {bytes.data() + at, size}, .owner = {}});
      at += size;
      take_all();
    }
    rebatcher.flush();
    take_all();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes.size()));
  state.counters["outputs"] = static_cast<double>(outputs) / static_cast<double>(state.iterations());
}

constexpr RebatchSettings merge_all{.merge_below_bytes = 1 << 20, .merge_compressed_below_bytes = 1 << 20};

void pass_through(benchmark::State& state) {
  rebatch(state, partition(total_bytes, 1000, 100, CompressionType::none), {});
}
BENCHMARK(pass_through);

// Arguments: codec, records per batch, bytes per record.
void merge(benchmark::State& state) {
  const auto codec = static_cast<CompressionType>(state.range(0));
  state.SetLabel(std::string(name(codec)));
  const auto bytes = partition(total_bytes, state.range(1), static_cast<std::size_t>(state.range(2)), codec);
  rebatch(state, bytes, merge_all);
}
BENCHMARK(merge)
    ->Args({0, 1, 100})
    ->Args({0, 10, 100})
    ->Args({0, 100, 100})
    ->Args({0, 10, 1000})
    ->Args({1, 10, 100})
    ->Args({2, 10, 100})
    ->Args({3, 10, 100})
    ->Args({4, 10, 100});

}  // namespace

BENCHMARK_MAIN();
