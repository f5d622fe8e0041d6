#include "dump_file.h"

#include <stdexcept>

#include <fmt/core.h>

namespace tool {
namespace {
void write_all(std::FILE* file, std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file) != bytes.size())
    throw std::runtime_error("cannot write");
}
}  // namespace

DumpFile::DumpFile(std::vector<PartitionBounds> bounds, bool offsets, bool lines)
    : bounds_(std::move(bounds)), offsets_(offsets), lines_(lines), partitions_(bounds_.size()) {}

void DumpFile::add(std::size_t index, const rd_kafka_message_t& message) {
  Partition& partition = partitions_[index];
  line_.clear();
  writer_.append(line_, message, bounds_[index].topic, offsets_);
  // The digest leaves the topic out, so that a renamed topic has the same one.
  partition.sha256.add(std::string_view(line_).substr(2 + bounds_[index].topic.size()));
  partition.records++;
  if (!lines_) return;
  partition.buffered += line_;
  buffered_bytes_ += line_.size();
  if (buffered_bytes_ >= buffered_bytes_max) spill();
}

void DumpFile::spill() {
  if (!spill_) spill_.reset(std::tmpfile());
  if (!spill_) throw std::runtime_error("cannot create a temporary file");
  for (Partition& partition : partitions_) {
    if (partition.buffered.empty()) continue;
    write_all(spill_.get(), partition.buffered);
    partition.spilled.push_back({spill_bytes_, partition.buffered.size()});
    spill_bytes_ += static_cast<long>(partition.buffered.size());
    partition.buffered = {};
  }
  buffered_bytes_ = 0;
}

void DumpFile::copy_chunk(const Chunk& chunk, std::FILE* out) {
  std::string bytes(chunk.bytes, '\0');
  if (std::fseek(spill_.get(), chunk.position, SEEK_SET) != 0 ||
      std::fread(bytes.data(), 1, bytes.size(), spill_.get()) != bytes.size()) {
    throw std::runtime_error("cannot read the temporary file");
  }
  write_all(out, bytes);
}

std::uint64_t DumpFile::write(const std::string& path) {
  File out(std::fopen(path.c_str(), "w"), std::fclose);
  if (!out) throw std::runtime_error("cannot create " + path);
  std::uint64_t records = 0;
  for (std::size_t i = 0; i < bounds_.size(); i++) {
    Partition& partition = partitions_[i];
    records += partition.records;
    fmt::print(out.get(), "P\t{}\t{}\t{}\t{}\n", bounds_[i].topic, bounds_[i].partition, partition.records,
               hex(partition.sha256.finish()));
    for (const Chunk& chunk : partition.spilled) copy_chunk(chunk, out.get());
    write_all(out.get(), partition.buffered);
  }
  if (std::fclose(out.release()) != 0) throw std::runtime_error("cannot write " + path);
  return records;
}

}  // namespace tool
