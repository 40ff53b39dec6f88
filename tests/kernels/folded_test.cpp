#include "uniq/kernels/folded.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "tests/support/random_test.h"
#include "uniq/grid/grid.h"
#include "uniq/kernels/isa.h"

namespace uniq::kernels {
namespace {

using Kind = EpilogueStage::Kind;
using Form = CodeLayout::Form;

/// An epilogue from sums to codes, with its memory.
struct FoldedCase {
  std::vector<float> scale, bias, stage_scale, stage_bias;
  std::vector<std::int32_t> terms;
  int shift = 0;
  bool has_windows = false;
  SumRange range;
  Epilogue epilogue;
};

class FoldedTest : public testing::RandomTest {
 protected:
  /// Codes spread over the sums -largest..largest, more or less.
  void make(FoldedCase& c, int bits, std::int64_t channels, std::int64_t largest) {
    c.range.largest = largest;
    EpilogueOutput output = {.bits = bits, .step = between(0.01f, 2.0f)};
    output.offset = below(2) == 0 ? 0.0f : grid_offset(Grid::mid_rise, bits);
    output.layout = {.form = below(2) == 0 && bits <= 2 ? Form::planes : Form::bytes,
                     .bits = bits,
                     .channels = channels,
                     .height = 1,
                     .width = 2 * largest + 1};
    const float width = output.step * static_cast<float>(max_code(bits));
    for (std::int64_t i = 0; i < channels; ++i) {
      const bool is_flat = below(20) == 0;
      c.scale.push_back(
          is_flat ? 0.0f : with_sign(width * between(0.1f, 4.0f) / static_cast<float>(largest)));
      c.bias.push_back(between(-width, 2 * width));
      c.stage_scale.push_back(with_sign(between(0.5f, 2.0f)));
      c.stage_bias.push_back(between(-width, width));
      c.terms.push_back(below(100) - 50);
    }
    const EpilogueStage affine = {Kind::affine, c.stage_scale.data(), c.stage_bias.data()};
    if (below(2) == 0) output.stages.push_back(affine);
    if (below(2) == 0) output.stages.push_back({below(2) == 0 ? Kind::relu : Kind::relu6});
    // No straight line any more, unless what is below 0 is never reached.
    if (below(8) == 0) output.stages.push_back(affine);
    if (below(2) == 0) c.range.terms = c.terms.data();
    c.shift = below(3);
    c.has_windows = below(3) == 0;
    c.epilogue = {
        .channels = channels, .scale = c.scale.data(), .bias = c.bias.data(), .outputs = {output}};
  }

  /// Codes of all sums, a pixel for each, as far as sums of the shift come near them.
  std::vector<std::uint8_t> run(const FoldedCase& c, Isa isa,
                                const std::optional<SumRange>& range) {
    const std::int64_t channels = c.epilogue.channels;
    const std::int64_t pixels = 2 * c.range.largest + 1;
    const std::int64_t stride = sums_stride_of(channels);
    std::vector<std::int32_t> raw(static_cast<std::size_t>(pixels * stride));
    std::vector<std::int32_t> windows;
    constexpr std::int32_t kPerCode = -3;
    for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
      windows.push_back(c.has_windows ? static_cast<std::int32_t>(pixel % 40) : 0);
      for (std::int64_t channel = 0; channel < channels; ++channel) {
        const auto sum = static_cast<std::int32_t>(pixel - c.range.largest);
        const std::int32_t lacking =
            windows.back() * kPerCode +
            (c.range.terms == nullptr ? 0 : c.range.terms[static_cast<std::size_t>(channel)]);
        // Towards 0, so that no sum leaves the range; `lacking` is no multiple.
        std::int32_t rest = (sum - lacking) >> c.shift;
        if ((rest << c.shift) + lacking < -c.range.largest) ++rest;
        raw[static_cast<std::size_t>(pixel * stride + channel)] = rest;
      }
    }
    std::vector<std::uint8_t> map(static_cast<std::size_t>(c.epilogue.outputs[0].layout.bytes()));
    void* const to = map.data();
    EpilogueProgram(c.epilogue, range)
        .run(loops_of(isa), {.pixels = pixels,
                             .channels = channels,
                             .sums = raw.data(),
                             .pixel = stride,
                             .terms = {.shift = c.shift,
                                       .per_code = kPerCode,
                                       .window = c.has_windows ? windows.data() : nullptr,
                                       .terms = c.range.terms,
                                       .places = nullptr},
                             .outputs = &to});
    return map;
  }
  static std::int64_t sums_stride_of(std::int64_t channels) { return (channels + 15) / 16 * 16; }
};

TEST_F(FoldedTest, GivesTheCodesOfAllSums) {
  int folds = 0;
  constexpr int kCases = 120;
  for (int i = 0; i < kCases; ++i) {
    constexpr std::int64_t kChannels[] = {1, 10, 16, 33, 64, 100, 128};
    constexpr std::int64_t kLargest[] = {7, 300, 1500};
    FoldedCase c;
    make(c, 1 + below(kFoldedBits), kChannels[below(7)], kLargest[below(3)]);
    folds += fold(c.epilogue, c.range) ? 1 : 0;
    for (const Isa isa : available_isas())
      ASSERT_EQ(run(c, isa, c.range), run(c, isa, std::nullopt))
          << isa_name(isa) << ", case " << i << ", " << c.epilogue.outputs[0].bits << " bits, "
          << c.epilogue.channels << " channels";
  }
  EXPECT_GT(folds, kCases / 3);
  EXPECT_LT(folds, kCases);  // lines with a bend among them
}

TEST_F(FoldedTest, NeedsRoom) {
  FoldedCase c;
  // Sums lie closer than fp32 tells them apart.
  constexpr std::int64_t kLargest = std::int64_t{1} << 28;
  c.scale = {1.0f / static_cast<float>(kLargest)};
  c.bias = {1.0f};
  c.epilogue = {.channels = 1,
                .scale = c.scale.data(),
                .bias = c.bias.data(),
                .outputs = {{.bits = 4, .step = 0.3f}}};
  EXPECT_FALSE(fold(c.epilogue, {.largest = kLargest}));
  c.scale = {1.0f / 1000};
  EXPECT_TRUE(fold(c.epilogue, {.largest = 1000}));
}

TEST_F(FoldedTest, IsForFewCodesFromSums) {
  std::vector<float> scale = {0.0103f};
  const std::vector<float> bias = {0.5f};
  Epilogue epilogue = {
      .channels = 1, .scale = scale.data(), .bias = bias.data(), .outputs = {{.bits = 4}}};
  const SumRange range = {.largest = 1000};
  EXPECT_TRUE(fold(epilogue, range));
  epilogue.outputs[0].bits = kFoldedBits + 1;
  EXPECT_FALSE(fold(epilogue, range));
  epilogue.outputs[0].bits = 0;
  EXPECT_FALSE(fold(epilogue, range));
  epilogue.outputs = {{.bits = 4}, {.bits = 4}};
  EXPECT_FALSE(fold(epilogue, range));
  epilogue.outputs = {{.bits = 4}};
  for (const float hostile :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e30f}) {
    scale[0] = hostile;
    EXPECT_FALSE(fold(epilogue, range)) << hostile;
  }
  epilogue.scale = nullptr;
  EXPECT_FALSE(fold(epilogue, range));
}

TEST_F(FoldedTest, LeavesInfinitiesToTheStages) {
  // Finite for small sums: 1; for large ones infinity * 0, a NaN, which has code 0.
  FoldedCase c;
  c.scale = {1e38f};
  c.bias = {0.0f};
  c.stage_scale = {0.0f};
  c.stage_bias = {1.0f};
  c.range.largest = 9;
  const EpilogueStage stage = {Kind::affine, c.stage_scale.data(), c.stage_bias.data()};
  c.epilogue = {.channels = 1,
                .scale = c.scale.data(),
                .bias = c.bias.data(),
                .outputs = {{.stages = {stage},
                             .bits = 2,
                             .layout = {.bits = 2, .channels = 1, .height = 1, .width = 19}}}};
  EXPECT_FALSE(fold(c.epilogue, c.range));
  for (const Isa isa : available_isas())
    EXPECT_EQ(run(c, isa, c.range), run(c, isa, std::nullopt)) << isa_name(isa);
  // One that falls to minus infinity at one end alone.
  c.scale = {3.5e37f};
  c.bias = {-1e38f};
  c.stage_bias = {1.5f};
  EXPECT_FALSE(fold(c.epilogue, c.range));
}

TEST_F(FoldedTest, NeedsThresholdsOnTheLine) {
  // A stage rounds to multiples of 512: codes begin up to 256 sums away from where the line has
  // them.
  FoldedCase c;
  c.scale = {1.0f};
  c.bias = {0x1p32f};
  c.stage_scale = {1.0f};
  c.stage_bias = {-0x1p32f};
  const EpilogueStage stage = {Kind::affine, c.stage_scale.data(), c.stage_bias.data()};
  c.epilogue = {.channels = 1,
                .scale = c.scale.data(),
                .bias = c.bias.data(),
                .outputs = {{.stages = {stage}, .bits = 2, .step = 3e5f}}};
  EXPECT_FALSE(fold(c.epilogue, {.largest = 1 << 20}));
}

}  // namespace
}  // namespace uniq::kernels
