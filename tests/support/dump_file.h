// The output of kafka_dump: partitions one after the other although their records arrive interleaved.
// Each partition is a line `P <topic> <partition> <records> <digest of its record lines>` and then its record
// lines.
#pragma once
#include <cstdio>

#include "dump_line.h"
#include "kafka_reader.h"

namespace tool {

// Belongs to one thread. Memory stays near `buffered_bytes_max`; what is beyond goes to an unnamed temporary
// file.
class DumpFile {
 public:
  DumpFile(std::vector<PartitionBounds> bounds, bool offsets, bool lines);

  void add(std::size_t index, const rd_kafka_message_t& message);
  // Writes the whole dump to `path`; returns the number of records.
  std::uint64_t write(const std::string& path);

  static constexpr std::size_t buffered_bytes_max = 256 << 20;

 private:
  struct Chunk {
    long position;
    std::size_t bytes;
  };
  struct Partition {
    Sha256 sha256;
    std::uint64_t records = 0;
    std::string buffered;
    std::vector<Chunk> spilled;
  };
  using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

  void spill();
  void copy_chunk(const Chunk& chunk, std::FILE* out);

  const std::vector<PartitionBounds> bounds_;
  const bool offsets_;
  const bool lines_;
  std::vector<Partition> partitions_;
  LineWriter writer_;
  std::string line_;
  std::size_t buffered_bytes_ = 0;
  File spill_{nullptr, std::fclose};
  long spill_bytes_ = 0;
};

}  // namespace tool
