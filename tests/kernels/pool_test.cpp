// Each instruction set's pools against one loop over the elements.
#include "uniq/kernels/pool.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "tests/kernels/bits.h"
#include "tests/support/random_test.h"

namespace uniq::kernels {
namespace {

PoolShape with_pool_output(PoolShape s) {
  s.out_height = (s.in_height + 2 * s.padding_height - s.kernel_height) / s.stride_height + 1;
  s.out_width = (s.in_width + 2 * s.padding_width - s.kernel_width) / s.stride_width + 1;
  return s;
}

const PoolShape kShapes[] = {
    {.channels = 1, .in_height = 1, .in_width = 1},
    {.channels = 16,
     .in_height = 4,
     .in_width = 6,
     .kernel_height = 2,
     .kernel_width = 2,
     .stride_height = 2,
     .stride_width = 2},
    {.channels = 17,
     .in_height = 7,
     .in_width = 5,
     .kernel_height = 3,
     .kernel_width = 3,
     .stride_height = 2,
     .stride_width = 2,
     .padding_height = 1,
     .padding_width = 1},
    {.channels = 100,
     .in_height = 3,
     .in_width = 8,
     .kernel_height = 3,
     .kernel_width = 5,
     .padding_height = 1,
     .padding_width = 2},
    {.channels = 33, .in_height = 7, .in_width = 7, .kernel_height = 7, .kernel_width = 7},
    // A stride beyond the picture, and a kernel larger than it.
    {.channels = 5,
     .in_height = 3,
     .in_width = 3,
     .kernel_height = 2,
     .kernel_width = 2,
     .stride_height = 9,
     .stride_width = 9},
    {.channels = 8,
     .in_height = 2,
     .in_width = 2,
     .kernel_height = 4,
     .kernel_width = 4,
     .padding_height = 2,
     .padding_width = 2},
};

/// Calls body(y, x, channel) and collects what it returns for each output.
template <class Body>
std::vector<float> each_output(const PoolShape& s, Body body) {
  std::vector<float> values;
  for (std::int64_t y = 0; y < s.out_height; ++y)
    for (std::int64_t x = 0; x < s.out_width; ++x)
      for (std::int64_t c = 0; c < s.channels; ++c) values.push_back(body(y, x, c));
  return values;
}

/// Calls body(value) for each value in the window that lies inside, by row and column.
template <class Body>
void each_inside(const PoolShape& s, const std::vector<float>& input, std::int64_t y,
                 std::int64_t x, std::int64_t channel, Body body) {
  for (std::int64_t i = 0; i < s.kernel_height; ++i)
    for (std::int64_t j = 0; j < s.kernel_width; ++j) {
      const std::int64_t row = y * s.stride_height - s.padding_height + i;
      const std::int64_t column = x * s.stride_width - s.padding_width + j;
      if (row < 0 || row >= s.in_height || column < 0 || column >= s.in_width) continue;
      body(input[static_cast<std::size_t>((row * s.in_width + column) * s.channels + channel)]);
    }
}

using Row = decltype(PoolKernel::max_row);

std::vector<float> rows_of(Row row_values, const PoolShape& s, const std::vector<float>& input) {
  std::vector<float> all;
  for (std::int64_t row = 0; row < s.out_height; ++row) {
    std::vector<float> values(static_cast<std::size_t>(s.out_width * s.channels), -77.0f);
    row_values(s, input.data(), row, values.data());
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

class PoolTest : public testing::RandomTest {
 protected:
  std::vector<float> input_of(const PoolShape& s) {
    return any_floats(s.in_height * s.in_width * s.channels, random_);
  }
};

TEST_F(PoolTest, LargestOfWhatIsInside) {
  for (const PoolShape& bare : kShapes) {
    const PoolShape s = with_pool_output(bare);
    const std::vector<float> input = input_of(s);
    const auto wanted = each_output(s, [&](std::int64_t y, std::int64_t x, std::int64_t c) {
      float largest = -std::numeric_limits<float>::infinity();
      each_inside(s, input, y, x, c, [&](float v) { largest = v > largest ? v : largest; });
      return largest;
    });
    for (const Isa isa : available_isas())
      EXPECT_EQ(bits_of(rows_of(pool_kernel(isa).max_row, s, input)), bits_of(wanted))
          << isa_name(isa) << ", channels " << s.channels;
  }
}

TEST_F(PoolTest, SumOfWhatIsInsideInItsOrder) {
  for (const PoolShape& bare : kShapes) {
    const PoolShape s = with_pool_output(bare);
    const std::vector<float> input = input_of(s);
    const auto size = static_cast<float>(s.kernel_height * s.kernel_width);
    const auto wanted = each_output(s, [&](std::int64_t y, std::int64_t x, std::int64_t c) {
      float sum = 0.0f;
      each_inside(s, input, y, x, c, [&](float v) { sum += v; });
      return sum / size;
    });
    for (const Isa isa : available_isas())
      EXPECT_EQ(bits_of(rows_of(pool_kernel(isa).average_row, s, input)), bits_of(wanted))
          << isa_name(isa) << ", channels " << s.channels;
  }
}

TEST_F(PoolTest, Zeros) {
  // Of zeros of both signs the first counts as largest; their sum begins at +0.
  const PoolShape s =
      with_pool_output({.channels = 1, .in_height = 1, .in_width = 3, .kernel_width = 2});
  const std::vector<float> input = {-0.0f, 0.0f, -0.0f};
  for (const Isa isa : available_isas()) {
    EXPECT_EQ(bits_of(rows_of(pool_kernel(isa).max_row, s, input)), bits_of({-0.0f, 0.0f}));
    const PoolShape one = with_pool_output({.channels = 1, .in_height = 1, .in_width = 3});
    EXPECT_EQ(bits_of(rows_of(pool_kernel(isa).average_row, one, input)),
              bits_of({0.0f, 0.0f, 0.0f}));
  }
}

TEST_F(PoolTest, Adds) {
  for (const std::int64_t count : {1, 7, 8, 9, 16, 17, 1000}) {
    const std::vector<float> a = any_floats(count, random_);
    const std::vector<float> b = any_floats(count, random_);
    std::vector<float> wanted;
    for (std::size_t i = 0; i < a.size(); ++i) wanted.push_back(a[i] + b[i]);
    for (const Isa isa : available_isas()) {
      std::vector<float> got(a.size());
      pool_kernel(isa).add(a.data(), b.data(), count, got.data());
      EXPECT_EQ(bits_of(got), bits_of(wanted)) << isa_name(isa) << ' ' << count;
    }
  }
}

}  // namespace
}  // namespace uniq::kernels
