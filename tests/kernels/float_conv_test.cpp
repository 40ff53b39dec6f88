// Each instruction set's fp32 convolution against the chain of multiply-adds that conv.h states.
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include "tests/kernels/bits.h"
#include "tests/kernels/conv_cases.h"
#include "tests/support/random_test.h"
#include "tests/support/sweep.h"

namespace uniq::kernels {
namespace {

struct FloatCase {
  ConvShape shape;
  std::vector<float> weights;
  std::vector<float> input;
};

std::vector<float> expected(const FloatCase& c) {
  const ConvShape& s = c.shape;
  std::vector<float> values;
  for (std::int64_t y = 0; y < s.out_height; ++y)
    for (std::int64_t x = 0; x < s.out_width; ++x)
      for (std::int64_t out = 0; out < s.out_channels; ++out) {
        float value = 0.0f;
        for (std::int64_t i = 0; i < s.kernel_height; ++i)
          for (std::int64_t j = 0; j < s.kernel_width; ++j) {
            const std::int64_t row = y * s.stride_height - s.padding_height + i * s.dilation_height;
            const std::int64_t column = x * s.stride_width - s.padding_width + j * s.dilation_width;
            if (row < 0 || row >= s.in_height || column < 0 || column >= s.in_width) continue;
            for (std::int64_t channel = 0; channel < s.group_in(); ++channel) {
              const std::int64_t from = (row * s.in_width + column) * s.in_channels +
                                        out / s.group_out() * s.group_in() + channel;
              const std::int64_t weight =
                  ((out * s.kernel_height + i) * s.kernel_width + j) * s.group_in() + channel;
              value = std::fma(c.input[static_cast<std::size_t>(from)],
                               c.weights[static_cast<std::size_t>(weight)], value);
            }
          }
        values.push_back(value);
      }
  return values;
}

std::vector<float> values_of(const FloatConvKernel& kernel, const FloatCase& c) {
  const AlignedBytes prepared = kernel.prepare(c.shape, c.weights);
  std::vector<float> all;
  for (std::int64_t row = 0; row < c.shape.out_height; ++row) {
    std::vector<float> values(static_cast<std::size_t>(c.shape.out_width * c.shape.out_channels),
                              -77.0f);
    kernel.row_values(c.shape, prepared, c.input.data(), row, values.data());
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

class FloatConvTest : public testing::RandomTest {
 protected:
  void compare(const ConvShape& s) {
    std::normal_distribution<float> normal;
    FloatCase c = {
        .shape = s,
        .weights =
            std::vector<float>(static_cast<std::size_t>(s.out_channels * s.taps() * s.group_in())),
        .input =
            std::vector<float>(static_cast<std::size_t>(s.in_height * s.in_width * s.in_channels))};
    for (float& weight : c.weights) weight = normal(random_);
    for (float& value : c.input) value = random_() % 16 == 0 ? -0.0f : normal(random_);
    const std::vector<std::uint32_t> wanted = bits_of(expected(c));
    for (const Isa isa : available_isas())
      ASSERT_EQ(bits_of(values_of(float_conv_kernel(isa), c)), wanted)
          << isa_name(isa) << ", " << describe({.shape = s});
  }
};

TEST_F(FloatConvTest, SizesAroundTiles) {
  for (const std::int64_t outs : {1, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 65})
    for (const std::int64_t width : {1, 2, 3, 4, 5, 7, 8, 9})
      compare(with_output({.in_channels = 3,
                           .in_height = 2,
                           .in_width = width,
                           .out_channels = outs,
                           .kernel_height = 3,
                           .kernel_width = 3,
                           .padding_height = 1,
                           .padding_width = 1}));
}

TEST_F(FloatConvTest, GroupsAndDepthwise) {
  for (const std::int64_t channels : {1, 7, 16, 40})
    for (const std::int64_t per_group : {1, 2, 17})
      compare(with_output({.in_channels = channels,
                           .in_height = 5,
                           .in_width = 6,
                           .out_channels = channels * per_group,
                           .kernel_height = 3,
                           .kernel_width = 3,
                           .stride_height = 2,
                           .stride_width = 1,
                           .padding_height = 1,
                           .padding_width = 1,
                           .groups = channels}));
}

TEST_F(FloatConvTest, LongVectors) {
  compare(with_output({.in_channels = 4097, .in_height = 1, .in_width = 1, .out_channels = 37}));
}

TEST_F(FloatConvTest, RandomShapes) {
  const int rounds = testing::by_sweep(50, 150, 5000);
  for (int i = 0; i < rounds; ++i) ASSERT_NO_FATAL_FAILURE(compare(random_shape(random_)));
}

}  // namespace
}  // namespace uniq::kernels
