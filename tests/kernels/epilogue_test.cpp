// Each instruction set's epilogue against one loop over the elements.
#include "uniq/kernels/epilogue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "tests/kernels/bits.h"
#include "tests/support/random_test.h"
#include "tests/support/sweep.h"
#include "uniq/grid/grid.h"

namespace uniq::kernels {
namespace {

using Kind = EpilogueStage::Kind;
using Form = CodeLayout::Form;

constexpr std::uint8_t kUntouched = 0xee;

/// One channel's value through an output's stages.
float staged(const EpilogueOutput& output, std::size_t channel, float v) {
  for (const EpilogueStage& stage : output.stages) {
    if (stage.kind == Kind::affine) v = std::fma(v, stage.scale[channel], stage.bias[channel]);
    if (stage.kind == Kind::relu) v = v > 0.0f ? v : 0.0f;
    if (stage.kind == Kind::relu6) v = v > 0.0f ? (v < 6.0f ? v : 6.0f) : 0.0f;
  }
  return v;
}

std::uint8_t code_of(const EpilogueOutput& output, float v) {
  const float u = v / output.step - output.offset;
  if (!(u > 0.0f)) return 0;
  return static_cast<std::uint8_t>(
      std::nearbyint(std::min(u, static_cast<float>(max_code(output.bits)))));
}

std::int64_t pixel_bytes(const EpilogueOutput& output, std::int64_t channels) {
  return output.bits == 0 ? channels * 4 : output.layout.pixel_bytes();
}

/// Memory of every output of a run, exactly as large as it needs to be.
struct Results {
  std::vector<std::vector<std::uint8_t>> bytes;

  Results(const Epilogue& epilogue, std::size_t pixels) {
    for (const EpilogueOutput& output : epilogue.outputs) {
      const auto pixel = static_cast<std::size_t>(pixel_bytes(output, epilogue.channels));
      const auto channels = static_cast<std::size_t>(epilogue.channels);
      // The last pixel's bytes end with its channels: what fills up pixels is not written.
      const bool is_bytes = output.bits != 0 && output.layout.form == CodeLayout::Form::bytes;
      bytes.emplace_back(is_bytes ? (pixels - 1) * pixel + channels : pixels * pixel, kUntouched);
      // Planes are written in whole vectors; what fills up a word is cleared before
      // (code_layout.h).
      if (output.bits != 0 && !is_bytes) std::ranges::fill(bytes.back(), 0);
    }
  }
  std::vector<void*> pointers() {
    std::vector<void*> places;
    for (std::vector<std::uint8_t>& output : bytes) places.push_back(output.data());
    return places;
  }
  std::vector<float> floats(std::size_t output) const {
    std::vector<float> values(bytes[output].size() / sizeof(float));
    std::memcpy(values.data(), bytes[output].data(), bytes[output].size());
    return values;
  }
};

/// Codes in one row of pixels.
CodeLayout row_of(CodeLayout::Form form, int bits, std::int64_t channels, std::int64_t pixels = 1) {
  return {.form = form, .bits = bits, .channels = channels, .height = 1, .width = pixels};
}

/// v of each element, before the stages.
template <class Core>
std::vector<float> core_values(const Epilogue& epilogue, const std::vector<Core>& core,
                               const float* residual) {
  const auto channels = static_cast<std::size_t>(epilogue.channels);
  std::vector<float> values(core.size());
  for (std::size_t i = 0; i < core.size(); ++i) {
    float v = static_cast<float>(core[i]);
    if (epilogue.scale != nullptr)
      v = std::fma(v, epilogue.scale[i % channels], epilogue.bias[i % channels]);
    values[i] = residual == nullptr ? v : v + residual[i];
  }
  return values;
}

Results expected(const Epilogue& epilogue, const std::vector<float>& values) {
  const auto channels = static_cast<std::size_t>(epilogue.channels);
  Results results(epilogue, values.size() / channels);
  for (std::size_t o = 0; o < epilogue.outputs.size(); ++o) {
    const EpilogueOutput& output = epilogue.outputs[o];
    const auto pixel = static_cast<std::size_t>(pixel_bytes(output, epilogue.channels));
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::size_t c = i % channels;
      const float v = staged(output, c, values[i]);
      std::uint8_t* const to = results.bytes[o].data() + i / channels * pixel;
      if (output.bits == 0) {
        std::memcpy(to + c * sizeof v, &v, sizeof v);
      } else if (output.layout.form == CodeLayout::Form::bytes) {
        to[c] = code_of(output, v);
      } else {
        for (int bit = 0; bit < output.bits; ++bit)
          to[(c / 32 * static_cast<std::size_t>(output.bits) + static_cast<std::size_t>(bit)) * 4 +
             c % 32 / 8] |= static_cast<std::uint8_t>((code_of(output, v) >> bit & 1) << c % 8);
      }
    }
  }
  return results;
}

void set_core(EpilogueWork& work, const std::int32_t* sums) { work.sums = sums; }
void set_core(EpilogueWork& work, const float* values) { work.values = values; }

/// In pieces of `piece` channels, which must be a multiple of 16.
template <class Core>
void run(Isa isa, const Epilogue& e, const std::vector<Core>& core, const float* residual,
         void* const* outputs, std::int64_t piece = 1 << 20) {
  const EpilogueProgram program(e);
  for (std::int64_t first = 0; first < e.channels; first += piece) {
    EpilogueWork work = {.pixels = static_cast<std::int64_t>(core.size()) / e.channels,
                         .first_channel = first,
                         .channels = std::min(piece, e.channels - first),
                         .pixel = e.channels,
                         .residual = residual,
                         .outputs = outputs};
    set_core(work, core.data() + first);
    program.run(loops_of(isa), work);
  }
}

template <class Core>
void expect_equal(const Epilogue& epilogue, const std::vector<Core>& core, const float* residual) {
  const Results wanted = expected(epilogue, core_values(epilogue, core, residual));
  for (const Isa isa : available_isas()) {
    for (const std::int64_t piece : {16, 64, 1 << 20}) {
      Results got(epilogue, core.size() / static_cast<std::size_t>(epilogue.channels));
      run(isa, epilogue, core, residual, got.pointers().data(), piece);
      for (std::size_t o = 0; o < epilogue.outputs.size(); ++o)
        ASSERT_EQ(got.bytes[o], wanted.bytes[o])
            << isa_name(isa) << ", channels " << epilogue.channels << ", output " << o
            << ", pieces of " << piece;
    }
  }
}

/// Parameters of an affine map per channel, factors of both signs; none is 0, which would make a
/// NaN of an infinity.
struct Affine {
  std::vector<float> scale, bias;
  Affine(std::int64_t channels, std::mt19937& random) : bias(any_floats(channels, random)) {
    std::uniform_real_distribution<float> magnitude(0.01f, 3.0f);
    for (std::int64_t c = 0; c < channels; ++c)
      scale.push_back(random() % 2 == 0 ? magnitude(random) : -magnitude(random));
  }
  EpilogueStage stage() const { return {Kind::affine, scale.data(), bias.data()}; }
};

std::vector<std::int32_t> any_sums(std::int64_t count, std::mt19937& random) {
  std::vector<std::int32_t> sums(static_cast<std::size_t>(count));
  // All magnitudes: beyond 2^24 the conversion rounds, and some of these are ties.
  for (std::int32_t& sum : sums) sum = static_cast<std::int32_t>(random()) >> (random() % 32);
  return sums;
}

struct Size {
  std::int64_t channels, pixels;
};
/// Around the width of vectors and of the tiles of 1024 values.
constexpr Size kSizes[] = {{1, 1},    {1, 1030}, {3, 7},    {4, 5},   {10, 1},  {15, 3},
                           {16, 70},  {17, 2},   {31, 5},   {33, 40}, {64, 17}, {100, 21},
                           {1023, 2}, {1024, 2}, {1025, 2}, {2500, 1}};

class EpilogueTest : public testing::RandomTest {};

TEST_F(EpilogueTest, EqualsOneLoopOverElements) {
  for (const Size& size : kSizes) {
    const Affine core(size.channels, random_);
    const Affine norm(size.channels, random_);
    const Affine second(size.channels, random_);
    Epilogue e = {.channels = size.channels,
                  .scale = core.scale.data(),
                  .bias = core.bias.data(),
                  .outputs = {{.stages = {}},
                              {.stages = {norm.stage(), {Kind::relu}}},
                              {.stages = {{Kind::relu6}, norm.stage(), second.stage()}}}};
    for (int bits = 1; bits <= kMaxBits; ++bits)
      for (const Grid grid : {Grid::mid_rise, Grid::unsigned_, Grid::mid_tread})
        for (const Form form : {Form::bytes, Form::planes})
          e.outputs.push_back({.stages = {norm.stage(), {Kind::relu}},
                               .bits = bits,
                               .step = 0.3f,
                               .offset = grid_offset(grid, bits),
                               .layout = row_of(form, bits, size.channels)});
    const std::vector<std::int32_t> sums = any_sums(size.channels * size.pixels, random_);
    const std::vector<float> values = any_floats(size.channels * size.pixels, random_);
    const std::vector<float> residual = any_floats(size.channels * size.pixels, random_);
    expect_equal(e, sums, nullptr);
    expect_equal(e, sums, residual.data());
    expect_equal(e, values, residual.data());
    e.scale = nullptr;
    e.bias = nullptr;
    expect_equal(e, values, nullptr);
  }
}

TEST_F(EpilogueTest, CodesAreThoseOfTheGrid) {
  // With these steps all thresholds are exact: ties, and the numbers on either side.
  std::vector<float> values = {0.0f, -0.0f, 3e38f, -3e38f, 1e-45f, -1e-45f, 1e5f, -1e5f};
  for (int half = -600; half <= 600; ++half) {
    const float v = 0.125f * static_cast<float>(half);
    for (const float x : {v, std::nextafter(v, 1e9f), std::nextafter(v, -1e9f)})
      values.push_back(x);
  }
  for (const Grid grid : {Grid::mid_rise, Grid::unsigned_, Grid::mid_tread}) {
    for (int bits = grid == Grid::mid_tread ? 2 : 1; bits <= kMaxBits; ++bits) {
      for (const float step : {0.25f, 0.1f, 1e-38f}) {
        const Epilogue e = {
            .channels = static_cast<std::int64_t>(values.size()),
            .outputs = {
                {.bits = bits,
                 .step = step,
                 .offset = grid_offset(grid, bits),
                 .layout = row_of(Form::bytes, bits, static_cast<std::int64_t>(values.size()))}}};
        std::vector<std::uint8_t> wanted;
        for (const float v : values) wanted.push_back(quantize(v, step, grid, bits));
        for (const Isa isa : available_isas()) {
          Results got(e, 1);
          run(isa, e, values, nullptr, got.pointers().data());
          ASSERT_EQ(got.bytes[0], wanted) << isa_name(isa) << ' ' << bits << ' ' << step;
        }
      }
    }
  }
}

TEST_F(EpilogueTest, QuotientsAreThoseOfADivision) {
  // Around every threshold of random steps, where a quotient that is off by its last bit shows.
  const int rounds = testing::by_sweep(100, 400, 20'000);
  for (int round = 0; round < rounds; ++round) {
    const int bits = 1 + static_cast<int>(random_() % 8);
    const Grid grid = static_cast<Grid>(random_() % (bits == 1 ? 2 : 3));
    std::uniform_real_distribution<float> exponent(-20.0f, 20.0f);
    const float step = std::exp2(exponent(random_));
    std::vector<float> values;
    for (int code = -1; code <= max_code(bits) + 1; ++code) {
      float v = step * (static_cast<float>(code) + 0.5f + grid_offset(grid, bits));
      for (int i = 0; i < 4; ++i) v = std::nextafter(v, -1e30f);
      for (int i = 0; i < 9; ++i, v = std::nextafter(v, 1e30f)) values.push_back(v);
    }
    const Epilogue e = {.channels = static_cast<std::int64_t>(values.size()),
                        .outputs = {{.bits = bits,
                                     .step = step,
                                     .offset = grid_offset(grid, bits),
                                     .layout = row_of(Form::bytes, bits,
                                                      static_cast<std::int64_t>(values.size()))}}};
    std::vector<std::uint8_t> wanted;
    for (const float v : values) wanted.push_back(quantize(v, step, grid, bits));
    for (const Isa isa : available_isas()) {
      Results got(e, 1);
      run(isa, e, values, nullptr, got.pointers().data());
      ASSERT_EQ(got.bytes[0], wanted) << isa_name(isa) << ' ' << bits << ' ' << step;
    }
  }
}

TEST_F(EpilogueTest, SumsAreRoundedToEven) {
  // 2^24 + 1 lies half-way and goes down, 2^24 + 3 up; fma keeps the product whole.
  const std::vector<std::int32_t> sums = {16777217, 16777219, -16777217, 2147483647,
                                          -2147483647 - 1};
  const std::vector<float> scale(sums.size(), 0.1f);
  const std::vector<float> bias = {-1677721.5f, 0.0f, 0.0f, 0.0f, 0.0f};
  const Epilogue e = {.channels = static_cast<std::int64_t>(sums.size()),
                      .scale = scale.data(),
                      .bias = bias.data(),
                      .outputs = {{}}};
  const double tenth = 0.1f;
  const std::vector<float> wanted = {
      static_cast<float>(16777216 * tenth - 1677721.5), static_cast<float>(16777220 * tenth),
      static_cast<float>(-16777216 * tenth), static_cast<float>(2147483648.0 * tenth),
      static_cast<float>(-2147483648.0 * tenth)};
  for (const Isa isa : available_isas()) {
    Results got(e, 1);
    run(isa, e, sums, nullptr, got.pointers().data());
    EXPECT_EQ(bits_of(got.floats(0)), bits_of(wanted)) << isa_name(isa);
  }
}

TEST_F(EpilogueTest, ReluOfMinusZeroIsZero) {
  const std::vector<float> values(40, -0.0f);
  const Epilogue e = {.channels = 40,
                      .outputs = {{.stages = {{Kind::relu}}}, {.stages = {{Kind::relu6}}}, {}}};
  for (const Isa isa : available_isas()) {
    Results got(e, 1);
    run(isa, e, values, nullptr, got.pointers().data());
    EXPECT_EQ(bits_of(got.floats(0)), std::vector<std::uint32_t>(40, 0)) << isa_name(isa);
    EXPECT_EQ(bits_of(got.floats(1)), std::vector<std::uint32_t>(40, 0)) << isa_name(isa);
    EXPECT_EQ(bits_of(got.floats(2)), bits_of(values)) << isa_name(isa);
  }
}

TEST_F(EpilogueTest, NaNBecomesCodeZero) {
  const std::vector<float> values(40, std::numeric_limits<float>::quiet_NaN());
  const Epilogue e = {
      .channels = 40,
      .outputs = {
          {.bits = 3, .step = 1.0f, .offset = -4.0f, .layout = row_of(Form::bytes, 3, 40)}}};
  for (const Isa isa : available_isas()) {
    Results got(e, 1);
    run(isa, e, values, nullptr, got.pointers().data());
    EXPECT_EQ(got.bytes[0], std::vector<std::uint8_t>(40, 0)) << isa_name(isa);
  }
}

TEST_F(EpilogueTest, AnOutputMayTakeTheResidualsPlace) {
  const std::int64_t channels = 48;
  const Affine core(channels, random_);
  const std::vector<std::int32_t> sums = any_sums(channels * 50, random_);
  const std::vector<float> residual = any_floats(channels * 50, random_);
  const Epilogue e = {
      .channels = channels,
      .scale = core.scale.data(),
      .bias = core.bias.data(),
      .outputs = {{}, {.bits = 4, .step = 0.5f, .layout = row_of(Form::bytes, 4, channels)}}};
  const Results wanted = expected(e, core_values(e, sums, residual.data()));
  for (const Isa isa : available_isas()) {
    Results got(e, 50);
    std::memcpy(got.bytes[0].data(), residual.data(), got.bytes[0].size());
    run(isa, e, sums, reinterpret_cast<const float*>(got.bytes[0].data()), got.pointers().data());
    EXPECT_EQ(got.bytes, wanted.bytes) << isa_name(isa);
  }
}

}  // namespace
}  // namespace uniq::kernels
