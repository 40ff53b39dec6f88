#include "uniq/base/crc32c.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "tests/support/random_test.h"

namespace uniq {
namespace {

std::string counting(int first, int step) {
  std::string bytes;
  for (int index = 0; index < 32; ++index) bytes.push_back(static_cast<char>(first + index * step));
  return bytes;
}

/// The definition, a bit at a time.
std::uint32_t by_bits(std::string_view bytes) {
  std::uint32_t remainder = 0xFFFFFFFFu;
  for (const char character : bytes) {
    remainder ^= static_cast<std::uint8_t>(character);
    for (int bit = 0; bit < 8; ++bit) {
      remainder = (remainder >> 1) ^ ((remainder & 1u) != 0 ? 0x82F63B78u : 0u);
    }
  }
  return ~remainder;
}

// The vectors of RFC 3720, B.4, and the usual check value.
TEST(Crc32c, KnownVectors) {
  EXPECT_EQ(crc32c(""), 0u);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62A8AB43u);
  EXPECT_EQ(crc32c(counting(0, 1)), 0x46DD794Eu);
  EXPECT_EQ(crc32c(counting(31, -1)), 0x113FDB5Cu);
}

using RandomCrc32c = testing::RandomTest;

TEST_F(RandomCrc32c, EveryLengthAndAlignmentAndCut) {
  std::string bytes;
  for (int i = 0; i < 80; ++i) bytes.push_back(static_cast<char>(random_()));
  const std::string_view all = bytes;
  for (std::size_t first = 0; first < 8; ++first) {
    for (std::size_t length = 0; first + length <= all.size(); ++length) {
      const std::string_view part = all.substr(first, length);
      const std::uint32_t expected = by_bits(part);
      ASSERT_EQ(crc32c(part), expected) << first << " " << length;
      const std::size_t cut = random_() % (length + 1);
      const std::uint32_t begun = crc32c(part.substr(0, cut));
      ASSERT_EQ(extend_crc32c(begun, std::as_bytes(std::span(part.substr(cut)))), expected)
          << first << " " << length << " " << cut;
    }
  }
}

TEST(Crc32c, MaskRotatesRightBy15AndAdds) {
  // 0xE3069283 rotated right by 15 is 0x2507C60D.
  EXPECT_EQ(masked_crc32c("123456789"), 0x2507C60Du + 0xA282EAD8u);
  EXPECT_EQ(masked_crc32c(""), 0xA282EAD8u);
}

}  // namespace
}  // namespace uniq
