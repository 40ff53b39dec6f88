#include "uniq/metrics/crc32c.h"

#include <gtest/gtest.h>

#include <string>

namespace uniq::metrics {
namespace {

std::string counting(int first, int step) {
  std::string bytes;
  for (int index = 0; index < 32; ++index) bytes.push_back(static_cast<char>(first + index * step));
  return bytes;
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

TEST(Crc32c, MaskRotatesRightBy15AndAdds) {
  // 0xE3069283 rotated right by 15 is 0x2507C60D.
  EXPECT_EQ(masked_crc32c("123456789"), 0x2507C60Du + 0xA282EAD8u);
  EXPECT_EQ(masked_crc32c(""), 0xA282EAD8u);
}

}  // namespace
}  // namespace uniq::metrics
