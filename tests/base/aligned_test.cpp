#include "uniq/base/aligned.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace uniq {
namespace {

TEST(AlignedBytes, LieOnABoundaryAndAreZero) {
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{65}, std::size_t{100'000}}) {
    const AlignedBytes bytes(size);
    EXPECT_EQ(bytes.size(), size);
    EXPECT_EQ(bytes.bytes().size(), size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes.data()) % kAlignment, 0U);
    EXPECT_TRUE(std::all_of(bytes.bytes().begin(), bytes.bytes().end(),
                            [](std::byte b) { return b == std::byte{0}; }));
  }
}

TEST(AlignedBytes, MemoryUsedBeforeIsZeroToo) {
  for (int round = 0; round < 3; ++round) {
    AlignedBytes bytes(4096);
    for (std::byte& b : bytes.bytes()) {
      ASSERT_EQ(b, std::byte{0});
      b = std::byte{0xff};
    }
  }
}

TEST(AlignedBytes, NoneAtAll) {
  const AlignedBytes none;
  EXPECT_EQ(none.size(), 0U);
  EXPECT_TRUE(none.bytes().empty());
  EXPECT_EQ(AlignedBytes(0).size(), 0U);
}

TEST(AlignedBytes, AreReadAsNumbers) {
  AlignedBytes bytes(3 * sizeof(float));
  bytes.as<float>()[2] = 1.5f;
  const AlignedBytes& same = bytes;
  EXPECT_EQ(same.as<float>()[2], 1.5f);
  EXPECT_EQ(same.as<std::uint32_t>()[2], 0x3fc00000U);
}

TEST(AlignedBytes, MoveWithTheirContents) {
  AlignedBytes from(64);
  from.data()[63] = std::byte{7};
  const std::byte* const place = from.data();
  AlignedBytes to = std::move(from);
  EXPECT_EQ(to.data(), place);
  EXPECT_EQ(to.size(), 64U);
  AlignedBytes assigned(128);
  assigned = std::move(to);
  EXPECT_EQ(assigned.data(), place);
  EXPECT_EQ(assigned.size(), 64U);
  EXPECT_EQ(assigned.data()[63], std::byte{7});
}

}  // namespace
}  // namespace uniq
