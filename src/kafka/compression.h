// The compression codecs of record batches, each in the framing that Kafka's own clients read and write.
//
// Source: KIP-110 (zstd), KIP-390 (levels), CompressionType.java of Apache Kafka; xerial's snappy framing is
// described at https://github.com/xerial/snappy-java (SnappyOutputStream). Everything is pure and may be
// called from any thread; contexts are kept per thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kb::kafka {

// The value is what bits 0-2 of a batch's attributes hold.
enum class CompressionType : std::int8_t { none = 0, gzip = 1, snappy = 2, lz4 = 3, zstd = 4 };

std::string_view name(CompressionType type);
// Throws Error invalid for ids that Kafka has not given out.
CompressionType compression_type(int id);

// Replaces `out` by the inflated form of `in`; the capacity of `out` is used again. Throws Error corrupt when
// `in` is damaged, truncated, followed by other bytes, or inflates to more than `bytes_max` bytes; `out` then
// holds anything, and never more than bytes_max + 1 bytes. Read: gzip and zstd with any number of members or
// frames; lz4 frames with and without content size; snappy in xerial's framing (Java, multi-chunk) and raw
// (librdkafka and others).
void decompress(CompressionType type, std::string_view in, std::string& out, std::size_t bytes_max);

// Appends the compressed form of `in` to `out`. The same input, type and level give the same bytes. Snappy is
// written in xerial's framing with chunks of 32 KiB, lz4 as independent blocks of 64 KiB without content
// size: what the Java client writes and all can read. `level` is the codec's own and is ignored by none and
// snappy; without it the codec's default is used (gzip 6, lz4 1, zstd 3). Throws Error invalid for a level
// the codec has not.
void compress(CompressionType type, std::string_view in, std::string& out, std::optional<int> level = {});

// The level with which the codec compresses best in bearable time; empty for codecs without levels.
std::optional<int> strongest_level(CompressionType type);

}  // namespace kb::kafka
