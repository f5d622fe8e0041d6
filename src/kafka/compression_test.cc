#include "kafka/compression.h"

#include <lz4frame.h>
#include <snappy.h>
#include <zstd.h>

#include "base/error.h"
#include "kafka/record_generator.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::kafka;

namespace {

constexpr CompressionType compressing[] = {CompressionType::gzip, CompressionType::snappy,
                                           CompressionType::lz4, CompressionType::zstd};
constexpr std::size_t plenty = 64 * 1024 * 1024;

std::string compressed(CompressionType type, std::string_view in, std::optional<int> level = {}) {
  std::string out;
  compress(type, in, out, level);
  return out;
}

std::string inflated(CompressionType type, std::string_view in, std::size_t bytes_max = plenty) {
  std::string out;
  decompress(type, in, out, bytes_max);
  return out;
}

// The message of the Error corrupt that inflating throws; empty when it throws none.
std::string complaint(CompressionType type, std::string_view in, std::size_t bytes_max = plenty) {
  try {
    inflated(type, in, bytes_max);
  } catch (const Error& error) {
    CHECK_EQ(error.kind(), ErrorKind::corrupt);
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("compression types have Kafka's ids and names") {
  CHECK_EQ(name(compression_type(0)), "none");
  CHECK_EQ(name(compression_type(1)), "gzip");
  CHECK_EQ(name(compression_type(2)), "snappy");
  CHECK_EQ(name(compression_type(3)), "lz4");
  CHECK_EQ(name(compression_type(4)), "zstd");
  CHECK_THROWS_WITH_AS(compression_type(5), "compression type 5 is unknown", Error);
  CHECK_THROWS_AS(compression_type(-1), Error);
}

TEST_CASE("every codec gives back what it was given") {
  RecordGenerator random(1);
  for (int round = 0; round < 400; ++round) {
    const auto size = random.between(0, random.one_in(20) ? 700'000 : 5'000);
    const auto plain = random.bytes(static_cast<std::size_t>(size));
    for (const auto type : all_codecs) {
      const auto packed = compressed(type, plain);
      REQUIRE_EQ(inflated(type, packed), plain);
      REQUIRE_EQ(compressed(type, plain), packed);  // the same again from a used context
      REQUIRE_EQ(inflated(type, packed, plain.size()), plain);
    }
  }
}

TEST_CASE("compressing appends and inflating replaces") {
  for (const auto type : all_codecs) {
    std::string out = "front";
    compress(type, "some text, some text, some text", out);
    CHECK(out.starts_with("front"));
    std::string plain = "to be replaced by something";
    decompress(type, std::string_view(out).substr(5), plain, plenty);
    CHECK_EQ(plain, "some text, some text, some text");
  }
}

TEST_CASE("levels are the codec's own, and an impossible one is refused") {
  RecordGenerator random(2);
  std::string plain;
  for (int i = 0; i < 3000; ++i) plain += "key-" + std::to_string(random.between(0, 500)) + ";";
  for (const auto type : {CompressionType::gzip, CompressionType::lz4, CompressionType::zstd}) {
    const auto strong = compressed(type, plain, strongest_level(type));
    CHECK_LT(strong.size(), compressed(type, plain, 1).size());
    CHECK_EQ(inflated(type, strong), plain);
    try {
      compressed(type, plain, 99);
      FAIL("level 99 was taken");
    } catch (const Error& error) {
      CHECK_EQ(error.kind(), ErrorKind::invalid);
      CHECK_EQ(std::string(error.what()), std::string(name(type)) + " has no level 99");
    }
  }
  CHECK_FALSE(strongest_level(CompressionType::snappy));
  CHECK_FALSE(strongest_level(CompressionType::none));
}

TEST_CASE("a bomb stops at the limit") {
  const std::string zeros(8 * 1024 * 1024, '\0');
  for (const auto type : all_codecs) {
    const auto bomb = compressed(type, zeros);
    for (const std::size_t bytes_max :
         {std::size_t{0}, std::size_t{1}, std::size_t{4096}, zeros.size() - 1}) {
      std::string out;
      CHECK_THROWS_WITH_AS(
          decompress(type, bomb, out, bytes_max),
          fmt::format("{} data inflates to more than {} bytes", name(type), bytes_max).c_str(), Error);
      CHECK_LE(out.size(), bytes_max + 1);
    }
    CHECK_EQ(inflated(type, bomb, zeros.size()).size(), zeros.size());
  }
}

TEST_CASE("truncated data and bytes behind the end are found at every length") {
  RecordGenerator random(3);
  const auto plain = random.bytes(700) + std::string(700, 'x') + random.bytes(700);
  for (const auto type : compressing) {
    const auto packed = compressed(type, plain);
    for (std::size_t size = 0; size < packed.size(); ++size) {
      const auto cut = complaint(type, std::string_view(packed).substr(0, size));
      // An xerial stream may end behind its header: a stream of nothing.
      if (type == CompressionType::snappy && size == 16) continue;
      REQUIRE_MESSAGE(!cut.empty(), name(type), " cut to ", size);
    }
    CHECK_NE(complaint(type, packed + "x"), "");
  }
}

TEST_CASE("a flipped bit never crashes, and gzip, which has a checksum, gives no other bytes") {
  RecordGenerator random(4);
  const auto plain = random.bytes(300) + std::string(3000, 'y') + random.bytes(300);
  for (const auto type : compressing) {
    const auto packed = compressed(type, plain);
    for (std::size_t bit = 0; bit < packed.size() * 8; ++bit) {
      auto bad = packed;
      bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
      const auto refused = !complaint(type, bad, 1024 * 1024).empty();
      // Some bits are only padding.
      if (type == CompressionType::gzip && !refused) REQUIRE_EQ(inflated(type, bad), plain);
    }
  }
}

TEST_CASE("gzip members, zstd frames and xerial streams may follow one another") {
  for (const auto type : {CompressionType::gzip, CompressionType::zstd, CompressionType::snappy}) {
    const auto two = compressed(type, "first ") + compressed(type, std::string(100'000, 'z'));
    CHECK_EQ(inflated(type, two), "first " + std::string(100'000, 'z'));
  }
}

TEST_CASE("snappy is read raw and in chunks of any size, and written in chunks of 32 KiB") {
  RecordGenerator random(5);
  const auto plain = random.bytes(100'000);
  std::string raw;
  snappy::Compress(plain.data(), plain.size(), &raw);
  CHECK_EQ(inflated(CompressionType::snappy, raw), plain);

  const auto packed = compressed(CompressionType::snappy, plain);
  CHECK_EQ(packed.substr(0, 16), std::string("\x82SNAPPY\0\0\0\0\1\0\0\0\1", 16));
  std::string chunks = packed.substr(0, 16), expected;
  for (std::size_t at = 0, size = 1; at < plain.size(); at += size, size *= 7) {
    std::string chunk;
    snappy::Compress(plain.data() + at, std::min(size, plain.size() - at), &chunk);
    char length[4];
    write_big_endian(length, static_cast<std::uint32_t>(chunk.size()));
    chunks.append(length, 4).append(chunk);
  }
  CHECK_EQ(inflated(CompressionType::snappy, chunks), plain);

  std::size_t count = 0, first_size = 0;
  for (std::size_t at = 16; at < packed.size(); ++count) {
    const auto size = read_big_endian<std::uint32_t>(packed.data() + at);
    if (count == 0) snappy::GetUncompressedLength(packed.data() + at + 4, size, &first_size);
    at += 4 + size;
  }
  CHECK_EQ(first_size, 32 * 1024);
  CHECK_EQ(count, 4);
}

TEST_CASE("a snappy block that lies about its size takes no memory") {
  const std::string lie(
      "\xff\xff\xff\xff\x0f"
      "abc",
      8);
  CHECK_EQ(complaint(CompressionType::snappy, lie, std::size_t{1} << 33),
           "snappy data is damaged: impossible block length");
}

TEST_CASE("lz4 frames are read in every shape and written as Kafka's Java reader wants them") {
  RecordGenerator random(6);
  const auto plain = random.bytes(300'000);
  for (const auto block : {LZ4F_max64KB, LZ4F_max256KB, LZ4F_max4MB})
    for (const auto mode : {LZ4F_blockLinked, LZ4F_blockIndependent})
      for (const bool with_size : {false, true}) {
        LZ4F_preferences_t preferences{};
        preferences.frameInfo.blockSizeID = block;
        preferences.frameInfo.blockMode = mode;
        preferences.frameInfo.contentSize = with_size ? plain.size() : 0;
        preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
        std::string packed(LZ4F_compressFrameBound(plain.size(), &preferences), '\0');
        packed.resize(
            LZ4F_compressFrame(packed.data(), packed.size(), plain.data(), plain.size(), &preferences));
        REQUIRE_EQ(inflated(CompressionType::lz4, packed), plain);
      }
  // Version 1, independent blocks, no checksums, no content size; blocks of 64 KiB.
  const auto ours = compressed(CompressionType::lz4, plain);
  CHECK_EQ(static_cast<unsigned char>(ours[4]), 0x60);
  CHECK_EQ(static_cast<unsigned char>(ours[5]), 0x40);
}

TEST_CASE("zstd frames are read with and without content size") {
  RecordGenerator random(7);
  const auto plain = random.bytes(400'000);
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  std::string packed(ZSTD_compressBound(plain.size()), '\0');
  packed.resize(ZSTD_compress2(context, packed.data(), packed.size(), plain.data(), plain.size()));
  ZSTD_freeCCtx(context);
  CHECK_EQ(ZSTD_getFrameContentSize(packed.data(), packed.size()), ZSTD_CONTENTSIZE_UNKNOWN);
  CHECK_EQ(inflated(CompressionType::zstd, packed), plain);
}
