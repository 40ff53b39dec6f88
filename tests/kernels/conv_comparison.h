#pragma once

#include <gtest/gtest.h>

#include <vector>

#include "tests/kernels/conv_cases.h"
#include "tests/support/random_test.h"

namespace uniq::kernels {

/// Every kernel against the scalar one, bit for bit.
class ConvComparison : public testing::RandomTest {
 protected:
  void SetUp() override {
    if (fast_kernels().empty()) GTEST_SKIP() << "this CPU runs the scalar kernel alone";
  }

  /// Compares all kernels that support it on random codes, all codes 0, all M, and weights 0 with
  /// inputs M.
  void compare(const CodeConv& conv) {
    ASSERT_TRUE(sums_fit(conv)) << describe(conv);
    for (const Codes codes : {Codes::random, Codes::zeros, Codes::largest, Codes::ends}) {
      const ConvCase c = make_case(conv, codes, random_);
      const std::vector<std::int32_t> expected = sums_of(conv_kernels().back(), c);
      for (const ConvKernel& kernel : fast_kernels()) {
        if (!kernel.supports(conv)) continue;
        const Cut cut = {.rows = 1 + static_cast<std::int64_t>(random_() % 4),
                         .channels = random_() % 2 == 0 ? 1 : 1 << 20,
                         .more = static_cast<std::int64_t>(random_() % 2)};
        ASSERT_EQ(sums_of(kernel, c, cut), expected)
            << kernel.name << ", codes " << static_cast<int>(codes) << ", " << describe(conv);
        ++compared_;
      }
    }
  }

  /// With weights that fit a byte and that do not, and activations with and without a zero.
  void compare_formats(const ConvShape& shape) {
    compare(make_conv(shape, {Grid::mid_rise, 2}, {Grid::unsigned_, 2}, Pad::nothing));
    compare(make_conv(shape, {Grid::mid_rise, 8}, {Grid::mid_rise, 4}, Pad::nothing));
    compare(make_conv(shape, {Grid::mid_tread, 8}, {Grid::mid_tread, 8}, Pad::middle_code));
  }

  int compared_ = 0;
};

}  // namespace uniq::kernels
