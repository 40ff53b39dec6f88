// Sums in 64 bits: those of the scalar kernel where 32 bits hold them, and sums of extreme codes,
// which are known, where they do not.
#include "uniq/kernels/sums64.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "tests/kernels/conv_cases.h"
#include "tests/support/random_test.h"
#include "uniq/kernels/loops_of.h"

namespace uniq::kernels {
namespace {

/// All sums, computed in parts, from a map whose border is wider than needed by cut.more.
std::vector<std::int64_t> sums_of(Isa isa, const ConvCase& c, const Cut& cut) {
  const ConvShape& s = c.conv.shape;
  CodeLayout layout = sums64_layout(c.conv);
  layout.border_height += cut.more;
  layout.border_width += cut.more;
  // Exactly as many bytes as may be read: what stands beside them is guarded.
  AlignedBytes memory(static_cast<std::size_t>(layout.bytes()));
  write_codes(layout, c.input, memory.as<std::uint8_t>());
  const Sums64Conv prepared = prepare_sums64(c.conv, layout, c.weights);
  const std::int64_t step = prepared.channel_step;
  const std::int64_t channels = (std::min(cut.channels, s.out_channels) + step - 1) / step * step;
  std::vector<std::int64_t> sums(
      static_cast<std::size_t>(s.out_height * s.out_width * s.out_channels), -77);
  for (std::int64_t row = 0; row < s.out_height; row += cut.rows) {
    for (std::int64_t channel = 0; channel < s.out_channels; channel += channels) {
      const ConvPart part = {.first_row = row,
                             .rows = std::min(cut.rows, s.out_height - row),
                             .first_channel = channel,
                             .channels = std::min(channels, s.out_channels - channel)};
      std::vector<std::int64_t> of_part(
          static_cast<std::size_t>(part.rows * s.out_width * part.channels));
      sums64(prepared, loops_of(isa), memory.as<std::uint8_t>(), part, of_part.data());
      for (std::int64_t pixel = 0; pixel < part.rows * s.out_width; ++pixel)
        std::copy_n(of_part.begin() + pixel * part.channels, part.channels,
                    sums.begin() + (row * s.out_width + pixel) * s.out_channels + channel);
    }
  }
  return sums;
}

class Sums64Test : public testing::RandomTest {
 protected:
  void compare(const CodeConv& conv) {
    for (const Codes codes : {Codes::random, Codes::zeros, Codes::largest, Codes::ends}) {
      const ConvCase c = make_case(conv, codes, random_);
      const std::vector<std::int32_t> narrow = kernels::sums_of(conv_kernels().back(), c);
      const std::vector<std::int64_t> expected(narrow.begin(), narrow.end());
      const Cut cut = {
          .rows = 1 + below(4), .channels = below(2) == 0 ? 1 : 1 << 20, .more = below(2)};
      for (const Isa isa : available_isas())
        ASSERT_EQ(sums_of(isa, c, cut), expected) << isa_name(isa) << ", " << describe(conv);
    }
  }
};

TEST_F(Sums64Test, AreTheScalarKernelsForAllBitsAndGrids) {
  for (const Format& weights : all_formats())
    for (const Format& activations : all_formats())
      for (const Pad pad : {Pad::nothing, Pad::largest_code})
        compare(make_conv(with_output({.in_channels = 5,
                                       .in_height = 4,
                                       .in_width = 5,
                                       .out_channels = 3,
                                       .kernel_height = 3,
                                       .kernel_width = 2,
                                       .padding_height = 1,
                                       .padding_width = 1}),
                          weights, activations, pad));
}

TEST_F(Sums64Test, AreTheScalarKernelsForRandomShapes) {
  const std::vector<Format> formats = all_formats();
  const auto any = [&] { return formats[random_() % formats.size()]; };
  for (int i = 0; i < 200; ++i) {
    const auto pad = static_cast<Pad>(below(4));
    const CodeConv conv = make_conv(random_shape(random_), any(), any(), pad);
    if (sums_fit(conv)) compare(conv);
  }
}

/// A sum of n products, all of the same weight and input.
std::int64_t sum_of_equal(Isa isa, std::int64_t n, const Format& weights, std::uint8_t weight,
                          const Format& activations, std::uint8_t input) {
  const ConvShape shape =
      with_output({.in_channels = n, .in_height = 1, .in_width = 1, .out_channels = 1});
  const ConvCase c = {.conv = make_conv(shape, weights, activations, Pad::nothing),
                      .weights = std::vector<std::uint8_t>(static_cast<std::size_t>(n), weight),
                      .input = std::vector<std::uint8_t>(static_cast<std::size_t>(n), input)};
  const std::vector<std::int64_t> sums = sums_of(isa, c, {});
  EXPECT_EQ(sums.size(), 1u);
  return sums.front();
}

TEST(Sums64, JustBelowAndAbove31Bits) {
  const Format mid_rise{Grid::mid_rise, 8};
  const Format bytes{Grid::unsigned_, 8};
  for (const Isa isa : available_isas()) {
    SCOPED_TRACE(isa_name(isa));
    for (const std::int64_t n : {33'024, 33'025, 33'026, 33'027, 66'052, 100'003}) {
      EXPECT_EQ(sum_of_equal(isa, n, mid_rise, 255, bytes, 255), n * 255 * 255);
      EXPECT_EQ(sum_of_equal(isa, n, mid_rise, 0, bytes, 255), -n * 255 * 255);
      EXPECT_EQ(sum_of_equal(isa, n, mid_rise, 0, mid_rise, 0), n * 255 * 255);
    }
    const Format mid_tread{Grid::mid_tread, 8};
    for (const std::int64_t n : {131'071, 131'072, 131'073}) {  // 2^31 at 2^17 times 2^14
      EXPECT_EQ(sum_of_equal(isa, n, mid_tread, 0, mid_tread, 0), n * 128 * 128);
      EXPECT_EQ(sum_of_equal(isa, n, mid_tread, 0, mid_tread, 255), -n * 128 * 127);
    }
  }
}

// As many products as go into 32 bits at once, one less and one more, and many of them.
TEST(Sums64, AroundTheNumberOfProductsThatFit32Bits) {
  const Format mid_rise{Grid::mid_rise, 8};
  for (const Isa isa : available_isas())
    for (const std::int64_t n : {16'383, 16'384, 16'385, 32'767, 32'768, 32'769, 1 << 20})
      EXPECT_EQ(sum_of_equal(isa, n, mid_rise, 255, mid_rise, 0), -n * 255 * 255)
          << isa_name(isa) << ", " << n;
}

// With a border of the largest code around a mid-rise picture of the least, inputs are 510 apart.
TEST(Sums64, LargeWindowsThatReachOutside) {
  const ConvShape shape = with_output({.in_channels = 2'100,
                                       .in_height = 3,
                                       .in_width = 3,
                                       .out_channels = 2,
                                       .kernel_height = 5,
                                       .kernel_width = 5,
                                       .padding_height = 2,
                                       .padding_width = 2});
  const Format mid_rise{Grid::mid_rise, 8};
  const ConvCase c = {.conv = make_conv(shape, mid_rise, mid_rise, Pad::largest_code),
                      .weights = std::vector<std::uint8_t>(2 * 25 * 2'100, std::uint8_t{255}),
                      .input = std::vector<std::uint8_t>(9 * 2'100, std::uint8_t{0})};
  // All nine pixels are inside each window: 9 taps of -255, 16 of 255.
  const std::vector<std::int64_t> expected(18, std::int64_t{2'100} * (16 - 9) * 255 * 255);
  for (const Isa isa : available_isas()) EXPECT_EQ(sums_of(isa, c, {}), expected) << isa_name(isa);

  ConvCase without = c;
  without.conv.pad_code = -1;
  const std::vector<std::int64_t> inside(18, std::int64_t{-2'100} * 9 * 255 * 255);
  for (const Isa isa : available_isas())
    EXPECT_EQ(sums_of(isa, without, {}), inside) << isa_name(isa);
}

}  // namespace
}  // namespace uniq::kernels
