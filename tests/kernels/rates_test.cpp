// The model of cost, on described CPUs.
#include "uniq/kernels/rates.h"

#include <gtest/gtest.h>

#include <utility>

#include "tests/support/described_cpus.h"

namespace uniq::kernels {
namespace {

using namespace uniq::testing;  // NOLINT: described CPUs

TEST(WeightCycles, CountWhereNoCacheKeepsThem) {
  for (const CpuInfo& cpu : described_cpus()) {
    const Rates& rates = rates_of(cpu);
    EXPECT_EQ(weight_cycles(0, rates), 0.0) << cpu.model;
    // Weights of 32 KiB stay in any core's cache, 64 MiB in none; twice the bytes take twice as
    // long.
    EXPECT_EQ(weight_cycles(32 << 10, rates), 0.0) << cpu.model;
    const double many = weight_cycles(64 << 20, rates);
    EXPECT_GT(many, 0.0) << cpu.model;
    EXPECT_EQ(weight_cycles(128 << 20, rates), 2 * many) << cpu.model;
  }
}

// Relations that follow from what the CPUs are, whatever was measured.
TEST(Rates, VectorsAreFasterThanScalars) {
  for (const CpuInfo& cpu : described_cpus()) {
    const Rates& rates = rates_of(cpu);
    EXPECT_GT(rates.scalar, 0.0) << cpu.model;
    EXPECT_GT(rates.call, 0.0) << cpu.model;
    EXPECT_GT(rates.layout_codes, 0.0) << cpu.model;
#if defined(__aarch64__)
    // A product of bits takes less than one of bytes, and that of bytes less than one of words.
    for (const auto& [faster, slower] : {std::pair{rates.popcount, rates.popcount2},
                                         {rates.popcount2, rates.neon_dot},
                                         {rates.neon_dot, rates.neon_pairs},
                                         {rates.neon_pairs, rates.neon_words},
                                         {rates.neon_words, rates.scalar},
                                         {rates.neon_depthwise, rates.scalar}})
      EXPECT_GT(faster, slower) << cpu.model;
#else
    for (const auto& [faster, slower] : {std::pair{rates.popcount, rates.popcount2},
                                         {rates.popcount2, rates.avx512_vnni},
                                         {rates.avx512_vnni, rates.avx512_bytes},
                                         {rates.avx512_bytes, rates.avx512_words},
                                         {rates.avx2_vnni, rates.avx2_bytes},
                                         {rates.avx2_bytes, rates.avx2_words},
                                         {rates.triples, rates.triples1},
                                         {rates.table, rates.table2},
                                         {rates.avx2_words, rates.scalar},
                                         {rates.avx2_depthwise, rates.scalar}})
      EXPECT_GT(faster, slower) << cpu.model;
#endif
  }
}

#if defined(__x86_64__)
TEST(Rates, WiderVectorsAreNoSlower) {
  for (const CpuInfo& cpu : described_cpus()) {
    const Rates& rates = rates_of(cpu);
    for (const auto& [wide, narrow] : {std::pair{rates.avx512_vnni, rates.avx2_vnni},
                                       {rates.avx512_words, rates.avx2_words},
                                       {rates.avx512_depthwise, rates.avx2_depthwise}})
      EXPECT_GE(wide, narrow) << cpu.model;
  }
}

// Zen 4 computes vectors of 512 bits in two halves; Zen 5 and Intel whole. VPOPCNTD has two ports
// on Zen 5 alone.
TEST(Rates, FollowTheUnitsOfTheCpu) {
  const Rates& zen4 = rates_of(kZen4);
  const Rates& zen5 = rates_of(kZen5);
  const Rates& intel = rates_of(kIceLake);
  EXPECT_LT(zen4.avx512_vnni, intel.avx512_vnni);
  EXPECT_LT(zen4.avx512_vnni, zen5.avx512_vnni);
  EXPECT_EQ(zen4.avx2_vnni, zen5.avx2_vnni);
  EXPECT_LT(intel.popcount, zen5.popcount);
  EXPECT_LT(intel.popcount2, zen5.popcount2);
}

TEST(Rates, OfACpuThatNobodyMeasuredAreIntels) {
  for (const CpuInfo& cpu : {CpuInfo{}, CpuInfo{"Some CPU", kAvx2, "HygonGenuine", 24}})
    EXPECT_EQ(&rates_of(cpu), &rates_of(kIceLake));
  for (const CpuInfo& cpu : {kZen2, kZen3}) EXPECT_EQ(&rates_of(cpu), &rates_of(kZen4));
}
#endif

TEST(DotCycles, CountsWholeWordsAndVectorsAndCalls) {
  // 2 groups; of each 5 inputs are 2 words of 4, 17 outputs 2 vectors of 16 and 1 block of 64;
  // 3x3 windows of 6 taps, 4 at a time: 3 calls.
  const ConvShape shape = {.in_channels = 10,
                           .out_channels = 34,
                           .out_height = 3,
                           .out_width = 3,
                           .kernel_height = 2,
                           .kernel_width = 3,
                           .groups = 2};
  const DotTile tile = {.word = 4, .lanes = 16, .outs = 64, .pixels = 4};
  EXPECT_EQ(dot_cycles(shape, tile, 8.0, 0.0), 2 * 9 * 6 * 8 * 32 / 8.0);
  EXPECT_EQ(dot_cycles(shape, tile, 8.0, 10.0), 2 * 9 * 6 * 8 * 32 / 8.0 + 2 * 3 * 10.0);
  EXPECT_EQ(dot_cycles(shape, 5, 16, tile, 8.0, 10.0), 2 * 5 * 16 * 8 * 32 / 8.0 + 2 * 2 * 10.0);
}

}  // namespace
}  // namespace uniq::kernels
