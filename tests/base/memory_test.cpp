#include "uniq/base/memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "uniq/base/error.h"

namespace uniq {
namespace {

using ::testing::StartsWith;
using ::testing::ThrowsMessage;

TEST(WithMemory, GivesTheResult) {
  EXPECT_EQ(with_memory("conv1", 4, [] { return 7; }), 7);
  int value = 1;
  with_memory("conv1", 4, [&]() -> int& { return value; }) = 2;
  EXPECT_EQ(value, 2);
}

TEST(WithMemory, NamesTheOwnerAndTheSize) {
  const auto work = [] { throw std::bad_alloc(); };
  EXPECT_THAT([&] { with_memory("layer conv1", 2'500'000, work); },
              ThrowsMessage<Error>(
                  StartsWith("not enough memory (layer conv1): expected 2.5 MB; try to close ")));
}

TEST(WithMemory, TakesTheSizeThatWasAskedFor) {
  const auto work = [] { throw AllocationError(4'000'000); };
  EXPECT_THAT([&] { with_memory("conv1", 7, work); },
              ThrowsMessage<Error>(StartsWith("not enough memory (conv1): expected 4 MB")));
}

TEST(Resize, KnowsTheSizeThatCannotBeHad) {
  std::vector<float> numbers;
  resize(numbers, 3);
  EXPECT_EQ(numbers.size(), 3u);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers end the program where so much is asked for";
#endif
  const std::size_t count = std::numeric_limits<std::ptrdiff_t>::max() / sizeof(float);
  try {
    resize(numbers, count);
    FAIL() << "so much memory there is nowhere";
  } catch (const AllocationError& error) {
    EXPECT_EQ(error.bytes(), count * sizeof(float));
  }
}

// The innermost owner is the one that is named.
TEST(WithMemory, OtherErrorsPass) {
  const auto work = [] { fail_for_memory("conv1", 1000); };
  EXPECT_THAT([&] { with_memory("network", 9, work); },
              ThrowsMessage<Error>(StartsWith("not enough memory (conv1): expected 1 kB")));
}

}  // namespace
}  // namespace uniq
