#include "uniq/quant/loops.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "tests/quant/scalar.h"
#include "tests/support/described_cpus.h"
#include "tests/support/random_test.h"

namespace uniq::quant {
namespace {

using test::GridCase;

constexpr float kLoopStep = 0.37f;
constexpr std::size_t kGuard = 16;
constexpr float kUntouched = 1234.5f;

GridConstants constants(const GridCase& c) {
  return {kLoopStep, test::offset_of(c.grid, c.bits),
          static_cast<float>(test::largest_code(c.bits))};
}

std::vector<std::uint32_t> bits_of(const std::vector<float>& values) {
  std::vector<std::uint32_t> bits;
  for (const float value : values) bits.push_back(std::bit_cast<std::uint32_t>(value));
  return bits;
}

struct Input {
  std::vector<float> x, gy;
};

Input make_input(std::int64_t count, const GridCase& c, std::mt19937& random) {
  Input in;
  const auto m = static_cast<float>(test::largest_code(c.bits));
  std::uniform_real_distribution<float> code(-0.3f * m - 1.0f, 1.3f * m + 1.0f);
  std::normal_distribution<float> gradient;
  constexpr float kInf = std::numeric_limits<float>::infinity();
  for (std::int64_t i = 0; i < count; ++i) {
    float u = code(random);
    if (i % 3 == 0) u = std::round(2.0f * u) / 2.0f;  // ties and bounds
    in.x.push_back(i % 29 == 28 ? (i % 2 ? kInf : -kInf)
                                : kLoopStep * (u + test::offset_of(c.grid, c.bits)));
    in.gy.push_back(gradient(random));
  }
  return in;
}

/// What one set of loops makes of an input; the buffers end in a guard that must stay as it was.
struct Output {
  std::vector<float> y, gx;
  std::vector<std::uint8_t> codes;
  float gstep = 0.0f;
  bool has_codes = false;
};

Output run(const Loops& loops, const Input& in, const GridCase& c) {
  const auto count = in.x.size();
  const auto n = static_cast<std::int64_t>(count);
  Output out;
  out.y.assign(count + kGuard, kUntouched);
  out.gx.assign(count + kGuard, kUntouched);
  out.codes.assign(count + kGuard, 0xee);
  loops.fake_quantize(in.x.data(), out.y.data(), n, constants(c));
  out.gstep =
      loops.fake_quantize_backward(in.gy.data(), in.x.data(), out.gx.data(), n, constants(c));
  out.has_codes = loops.quantize(in.x.data(), out.codes.data(), n, constants(c));
  return out;
}

const std::int64_t kCounts[] = {0, 1, 7, 8, 15, 16, 17, 31, 32, 33, 100, kBlock - 1, kBlock};

std::vector<std::string> names_of(const LoopList& list) {
  std::vector<std::string> names;
  for (int i = 0; i < list.count; ++i) names.emplace_back(list.items[i]->name);
  return names;
}

#if defined(__x86_64__)
TEST(Loops, EverySetThatADescribedCpuHasIsThere) {
  using Names = std::vector<std::string>;
  const auto names = [](const CpuInfo& cpu) { return names_of(runnable_loops(cpu)); };
  EXPECT_EQ(names(testing::kNehalem), Names{"baseline"});
  for (const CpuInfo& cpu :
       {testing::kHaswell, testing::kAlderLake, testing::kZen2, testing::kZen3})
    EXPECT_EQ(names(cpu), (Names{"baseline", "avx2"})) << cpu.model;
  for (const CpuInfo& cpu : {testing::kSkylakeX, testing::kCascadeLake, testing::kIceLake,
                             testing::kSapphireRapids, testing::kZen4, testing::kZen5})
    EXPECT_EQ(names(cpu), (Names{"baseline", "avx2", "avx512"})) << cpu.model;
}
#endif

TEST(Loops, TheLastSetOfThisCpuIsUsed) {
  EXPECT_EQ(loops().name, names_of(runnable_loops(cpu_info())).back());
}

using RandomLoops = testing::RandomTest;

TEST_F(RandomLoops, EverySetGivesTheScalarTruth) {
  const LoopList list = runnable_loops(cpu_info());
  for (const GridCase& c : test::all_grids())
    for (const std::int64_t count : kCounts) {
      const Input in = make_input(count, c, random_);
      std::vector<float> y, gx;
      std::vector<std::uint8_t> codes;
      for (std::size_t i = 0; i < in.x.size(); ++i) {
        const auto p = test::quantize_scalar(in.x[i], kLoopStep, c.grid, c.bits);
        y.push_back(p.value);
        gx.push_back(p.inside ? in.gy[i] : 0.0f);
        codes.push_back(static_cast<std::uint8_t>(p.code));
      }
      y.resize(y.size() + kGuard, kUntouched);
      gx.resize(gx.size() + kGuard, kUntouched);
      codes.resize(codes.size() + kGuard, 0xee);
      for (int i = 0; i < list.count; ++i) {
        SCOPED_TRACE(c.text() + ", " + std::to_string(count) + " elements, " +
                     std::string(list.items[i]->name));
        const Output out = run(*list.items[i], in, c);
        EXPECT_EQ(bits_of(out.y), bits_of(y));
        EXPECT_EQ(bits_of(out.gx), bits_of(gx));
        EXPECT_EQ(out.codes, codes);
        EXPECT_TRUE(out.has_codes);
      }
    }
}

// The lanes are the same 16 on every instruction set, so that even the sum's rounding is.
TEST_F(RandomLoops, EverySetGivesTheSameGradientToTheStep) {
  const LoopList list = runnable_loops(cpu_info());
  for (const GridCase& c : test::all_grids())
    for (const std::int64_t count : kCounts) {
      const Input in = make_input(count, c, random_);
      const float expected = run(*list.items[0], in, c).gstep;
      for (int i = 1; i < list.count; ++i)
        EXPECT_EQ(std::bit_cast<std::uint32_t>(run(*list.items[i], in, c).gstep),
                  std::bit_cast<std::uint32_t>(expected))
            << c.text() << ", " << count << " elements, " << list.items[i]->name;
    }
}

TEST_F(RandomLoops, ResultsMayOverwriteTheirOperands) {
  const LoopList list = runnable_loops(cpu_info());
  const GridCase c{Grid::mid_rise, 2};
  const Input in = make_input(1000, c, random_);
  for (int i = 0; i < list.count; ++i) {
    const Loops& loops = *list.items[i];
    Output out = run(loops, in, c);
    out.y.resize(in.x.size());
    out.gx.resize(in.x.size());
    Input copy = in;
    loops.fake_quantize_backward(copy.gy.data(), copy.x.data(), copy.gy.data(), 1000, constants(c));
    EXPECT_EQ(bits_of(copy.gy), bits_of(out.gx));
    loops.fake_quantize(copy.x.data(), copy.x.data(), 1000, constants(c));
    EXPECT_EQ(bits_of(copy.x), bits_of(out.y));
  }
}

TEST(Loops, NanIsSeenWhereverItLies) {
  const LoopList list = runnable_loops(cpu_info());
  const GridCase c{Grid::unsigned_, 8};
  for (int i = 0; i < list.count; ++i)
    for (std::size_t position = 0; position < 35; ++position) {
      Input in{std::vector<float>(35, 1.0f), std::vector<float>(35, 1.0f)};
      EXPECT_TRUE(run(*list.items[i], in, c).has_codes);
      in.x[position] = std::numeric_limits<float>::quiet_NaN();
      const Output out = run(*list.items[i], in, c);
      EXPECT_FALSE(out.has_codes) << list.items[i]->name << ", position " << position;
      for (std::size_t j = 0; j < 35; ++j) {
        EXPECT_EQ(std::isnan(out.y[j]), j == position);
        EXPECT_EQ(out.gx[j], j == position ? 0.0f : 1.0f);
      }
      EXPECT_TRUE(std::isnan(out.gstep));
    }
}

}  // namespace
}  // namespace uniq::quant
