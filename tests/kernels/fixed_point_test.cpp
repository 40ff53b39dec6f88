#include "uniq/kernels/fixed_point.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "tests/support/random_test.h"
#include "uniq/grid/grid.h"
#include "uniq/kernels/isa.h"
#include "uniq/kernels/line.h"

namespace uniq::kernels {
namespace {

using Kind = EpilogueStage::Kind;

/// An epilogue from sums to codes, with its memory, and what a kernel leaves of some pixels' sums.
struct FixedCase {
  std::vector<float> scale, bias, stage_scale, stage_bias;
  std::vector<std::int32_t> terms, places, windows, raw;
  std::int32_t per_code = 0;
  int shift = 0;
  std::int64_t rows = 5, columns = 8;

  std::int64_t pixels() const { return rows * columns; }
  std::int64_t stride() const { return (epilogue.channels + 15) / 16 * 16; }
  /// What a pixel's sum of a channel lacks.
  std::int32_t lacking(std::int64_t pixel, std::size_t channel) const {
    const auto at = static_cast<std::size_t>(pixel);
    std::int32_t sum = windows.empty() ? 0 : windows[at] * per_code;
    if (!places.empty()) sum += terms[static_cast<std::size_t>(places[at]) + channel];
    if (range.terms != nullptr) sum += range.terms[channel];
    return sum;
  }
  SumRange range;
  Epilogue epilogue;
};

class FixedPointTest : public testing::RandomTest {
 protected:
  void make(FixedCase& c, int bits, std::int64_t channels, std::int64_t largest) {
    c.range.largest = largest;
    // Round numbers make sums whose value is a threshold itself.
    const bool is_round = below(3) == 0;
    EpilogueOutput output = {.bits = bits, .step = is_round ? 0.25f : between(0.01f, 2.0f)};
    output.offset = below(2) == 0 ? 0.0f : grid_offset(Grid::mid_rise, bits);
    output.layout = {.bits = bits,
                     .channels = channels,
                     .height = c.rows,
                     .width = c.columns,
                     .border_height = 1,
                     .border_width = below(2)};
    const float width = output.step * static_cast<float>(max_code(bits));
    const auto rounded = [&](float x) { return is_round ? std::ldexp(1.0f, std::ilogb(x)) : x; };
    for (std::int64_t i = 0; i < channels; ++i) {
      c.scale.push_back(
          with_sign(rounded(width * between(0.5f, 40.0f) / static_cast<float>(largest))));
      c.bias.push_back(with_sign(rounded(between(0.01f, 1.5f) * width)));
      c.stage_scale.push_back(with_sign(rounded(between(0.5f, 2.0f))));
      c.stage_bias.push_back(with_sign(rounded(between(0.01f, 1.0f) * width)));
    }
    constexpr int kClasses = 3;
    for (std::int64_t i = 0; i < kClasses * channels; ++i) c.terms.push_back(below(2000) - 1000);
    const EpilogueStage affine = {Kind::affine, c.stage_scale.data(), c.stage_bias.data()};
    if (below(2) == 0) output.stages.push_back(affine);
    if (below(2) == 0) output.stages.push_back({below(2) == 0 ? Kind::relu : Kind::relu6});
    if (below(2) == 0) {
      c.range.terms = c.terms.data();
    } else if (below(2) == 0) {
      c.range.varies = true;
      c.range.other_terms = 1000;
      // Also where there is nothing to add.
      if (below(3) == 0) {
        c.range.other_terms = 0;
        std::ranges::fill(c.terms, 0);
      }
      for (std::int64_t pixel = 0; pixel < c.pixels(); ++pixel)
        c.places.push_back(static_cast<std::int32_t>(below(kClasses) * channels));
    }
    c.shift = below(3);
    if (below(2) == 0) {
      c.per_code = below(2) == 0 ? 1 : -7;
      for (std::int64_t pixel = 0; pixel < c.pixels(); ++pixel) c.windows.push_back(below(300));
      c.range.windows = std::int64_t{300} * std::abs(c.per_code);
    }
    c.epilogue = {
        .channels = channels, .scale = c.scale.data(), .bias = c.bias.data(), .outputs = {output}};
    make_sums(c);
  }

  /// Sums next to where codes change, and some that are far beyond.
  void make_sums(FixedCase& c) {
    for (std::int64_t pixel = 0; pixel < c.pixels(); ++pixel)
      for (std::int64_t channel = 0; channel < c.stride(); ++channel) {
        const auto at = static_cast<std::size_t>(channel % c.epilogue.channels);
        const Line line = line_of(c.epilogue, at);
        const double threshold = 0.5 + below(max_code(c.epilogue.outputs[0].bits));
        const auto most = static_cast<double>(c.range.largest);
        double sum = std::nearbyint((threshold - line.start) / line.slope) + below(5) - 2;
        if (below(20) == 0) sum = below(2) == 0 ? most : -most;
        sum = std::clamp(sum, -most, most);
        const std::int32_t lacking = c.lacking(pixel, at);
        std::int32_t rest = (static_cast<std::int32_t>(sum) - lacking) >> c.shift;
        if (std::int64_t{rest} * (1 << c.shift) + lacking < -c.range.largest) ++rest;
        c.raw.push_back(rest);
      }
  }

  /// The map, of as many rows at once as the epilogue takes.
  static std::vector<std::uint8_t> run(const FixedCase& c, Isa isa,
                                       const std::optional<SumRange>& range) {
    const CodeLayout& layout = c.epilogue.outputs[0].layout;
    std::vector<std::uint8_t> map(static_cast<std::size_t>(layout.bytes()));
    const EpilogueProgram program(c.epilogue, range);
    const std::int64_t rows = program.takes_rows(c.columns) ? c.rows : 1;
    const auto from = [&](const std::vector<std::int32_t>& numbers, std::int64_t first) {
      return numbers.empty() ? nullptr : numbers.data() + first;
    };
    for (std::int64_t row = 0; row < c.rows; row += rows) {
      void* const to = map.data() + layout.at(row, 0);
      program.run(loops_of(isa),
                  {.pixels = c.columns,
                   .rows = rows,
                   .channels = c.epilogue.channels,
                   .sums = c.raw.data() + row * c.columns * c.stride(),
                   .pixel = c.stride(),
                   .terms = {.shift = c.shift,
                             .per_code = c.per_code,
                             .window = from(c.windows, row * c.columns),
                             .terms = c.places.empty() ? c.range.terms : c.terms.data(),
                             .places = from(c.places, row * c.columns)},
                   .outputs = &to});
    }
    return map;
  }
};

TEST_F(FixedPointTest, GivesTheCodesNextToThresholds) {
  int fixed = 0;
  constexpr int kCases = 400;
  for (int i = 0; i < kCases; ++i) {
    constexpr std::int64_t kChannels[] = {1, 10, 16, 33, 64, 100, 128};
    constexpr std::int64_t kLargest[] = {1'500, 200'000, 50'000'000, 2'000'000'000};
    FixedCase c;
    make(c, 1 + below(8), kChannels[below(7)], kLargest[below(4)]);
    fixed += fixed_point(c.epilogue, c.range) ? 1 : 0;
    for (const Isa isa : available_isas())
      ASSERT_EQ(run(c, isa, c.range), run(c, isa, std::nullopt))
          << isa_name(isa) << ", case " << i << ", " << c.epilogue.outputs[0].bits << " bits, "
          << c.epilogue.channels << " channels, sums to " << c.range.largest;
  }
  EXPECT_GT(fixed, kCases / 3);
  EXPECT_LT(fixed, kCases);  // lines with a bend among them
}

TEST_F(FixedPointTest, KnowsItsMargin) {
  FixedCase c;
  c.scale = {0.0103f};
  c.bias = {0.5f};
  c.epilogue = {.channels = 1,
                .scale = c.scale.data(),
                .bias = c.bias.data(),
                .outputs = {{.bits = 8, .step = 0.7f}}};
  const std::optional<FixedPoint> fixed = fixed_point(c.epilogue, {.largest = 1'000'000});
  ASSERT_TRUE(fixed);
  const double unit = 65536 / double{0.7f};
  EXPECT_FLOAT_EQ(fixed->scale[0], static_cast<float>(double{0.0103f} * unit));
  EXPECT_FLOAT_EQ(fixed->bias[0], static_cast<float>(0.5 * unit + 32768 + fixed->margin));
  EXPECT_EQ(fixed->largest, 255);
  // At most: the value rounded to half a place of 178.5, 2^-17, is 0.72 units; the quotient half a
  // unit; the scale half a place of 964, 2^-15, times 17,400; the bias less than a hundredth; the
  // result three quarters.
  EXPECT_GE(fixed->margin, 2);
  EXPECT_LE(fixed->margin, 3);
  // A large bias is rounded more, and so is what is added to it.
  c.bias = {-2000.0f};
  const std::optional<FixedPoint> wide = fixed_point(c.epilogue, {.largest = 1'000'000});
  ASSERT_TRUE(wide);
  EXPECT_GT(wide->margin, 2 * fixed->margin);
}

TEST_F(FixedPointTest, BoundsCodesOfReLU6) {
  const float scale = 1.0f;
  const float bias = 0.0f;
  Epilogue epilogue = {.channels = 1,
                       .scale = &scale,
                       .bias = &bias,
                       .outputs = {{.stages = {{Kind::relu6}}, .bits = 8, .step = 0.1f}}};
  ASSERT_TRUE(fixed_point(epilogue, {.largest = 1000}));
  EXPECT_EQ(fixed_point(epilogue, {.largest = 1000})->largest, 60);
  epilogue.outputs[0].stages = {{Kind::relu}};
  EXPECT_EQ(fixed_point(epilogue, {.largest = 1000})->largest, 255);
}

TEST_F(FixedPointTest, LeavesNumbersThatFadeToTheStages) {
  // Between the stages sum 1 is 5.8 times the least fp32 number, which rounds to 6: the code of 1.5
  // instead of 1.45.
  const float scale = 0x1p-70f;
  const float zero = 0.0f;
  const float small = 1.45f * 0x1p-77f;
  const float large = 0x1p127f;
  const Epilogue epilogue = {
      .channels = 1,
      .scale = &scale,
      .bias = &zero,
      .outputs = {{.stages = {{Kind::affine, &small, &zero}, {Kind::affine, &large, &zero}},
                   .bits = 8,
                   .step = 0x1p-20f}}};
  EXPECT_FALSE(fixed_point(epilogue, {.largest = 100}));
}

TEST_F(FixedPointTest, LeavesWhatCancelsOutToTheStages) {
  // A large bias is what the terms take away again: more than double holds of both.
  const float scale = 1.0f;
  const float bias = -0x1p30f;
  const std::int32_t term = 1 << 30;
  const Epilogue epilogue = {.channels = 1,
                             .scale = &scale,
                             .bias = &bias,
                             .outputs = {{.bits = 8, .step = 0x1.234566p-12f}}};
  EXPECT_FALSE(fixed_point(epilogue, {.largest = 1 << 30, .terms = &term}));
}

TEST_F(FixedPointTest, IsForStraightLinesToBytes) {
  std::vector<float> scale = {0.0103f};
  const std::vector<float> bias = {0.5f};
  const Epilogue fits = {
      .channels = 1, .scale = scale.data(), .bias = bias.data(), .outputs = {{.bits = 8}}};
  const SumRange range = {.largest = 1000};
  ASSERT_TRUE(fixed_point(fits, range));

  const EpilogueStage affine = {Kind::affine, scale.data(), bias.data()};
  Epilogue other = fits;
  other.outputs[0].stages = {affine, {Kind::relu}};
  EXPECT_TRUE(fixed_point(other, range));
  other.outputs[0].offset = -1.5f;  // codes below that of 0
  EXPECT_FALSE(fixed_point(other, range));
  other.outputs[0].stages = {affine};
  EXPECT_TRUE(fixed_point(other, range));
  other = fits;
  other.outputs[0].stages = {{Kind::relu}, affine};
  EXPECT_FALSE(fixed_point(other, range));
  other = fits;
  other.outputs[0].bits = 0;
  EXPECT_FALSE(fixed_point(other, range));
  other = fits;
  other.outputs[0].layout.form = CodeLayout::Form::planes;
  EXPECT_FALSE(fixed_point(other, range));
  other.outputs = {{.bits = 8}, {.bits = 8}};
  EXPECT_FALSE(fixed_point(other, range));
  other = fits;
  other.outputs[0].step = 1e-20f;
  EXPECT_FALSE(fixed_point(other, range));
  other = fits;
  other.scale = nullptr;
  EXPECT_FALSE(fixed_point(other, range));
  for (const float hostile :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e37f}) {
    scale[0] = hostile;
    EXPECT_FALSE(fixed_point(fits, range)) << hostile;
  }
}

}  // namespace
}  // namespace uniq::kernels
