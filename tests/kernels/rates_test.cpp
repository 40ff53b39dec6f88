// The model of cost, and what it takes on CPUs that are described here: nothing depends on the
// machine that runs the test.
#include "uniq/kernels/rates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/kernels/conv_cases.h"

namespace uniq::kernels {
namespace {

CpuInfo cpu(const std::string& vendor, int family) {
  CpuInfo info{"Some CPU", {}, vendor, family};
  info.features.avx512_vpopcntdq = true;
  return info;
}
const CpuInfo kZen5 = cpu("AuthenticAMD", 26);
const CpuInfo kZen4 = cpu("AuthenticAMD", 25);
const CpuInfo kIntel = cpu("GenuineIntel", 6);

constexpr ConvShape k3x3 = {.in_channels = 64,
                            .in_height = 56,
                            .in_width = 56,
                            .out_channels = 64,
                            .kernel_height = 3,
                            .kernel_width = 3,
                            .padding_height = 1,
                            .padding_width = 1};

TEST(WeightCycles, CountWhereNoCacheKeepsThem) {
  const Rates& rates = rates_of(kZen5);
  EXPECT_EQ(weight_cycles(600'000, rates), 0.0);
  EXPECT_EQ(weight_cycles(1'200'000, rates), 1'200'000 / rates.weights);
}

TEST(Rates, VpopcntdIsTwiceAsFastOnZen5) {
  EXPECT_EQ(rates_of(kZen5).popcount, 660);
  EXPECT_EQ(rates_of(kIntel).popcount, 341);
  EXPECT_EQ(rates_of(kZen4).popcount, 337);
  EXPECT_EQ(&rates_of(CpuInfo{}), &rates_of(kIntel));
}

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

#if defined(__x86_64__)
CodeConv conv_of(int weight_bits, int activation_bits, const ConvShape& shape) {
  return make_conv(with_output(shape), {Grid::mid_rise, weight_bits},
                   {Grid::unsigned_, activation_bits}, Pad::nothing);
}
std::string taken(const CodeConv& conv, Isa isa, const CpuInfo& cpu) {
  return conv_candidates(conv, isa, cpu).front().kernel->name;
}
/// Why not; "" where it can.
std::string refusal(const std::string& name, const CodeConv& conv, Isa isa = Isa::avx512_vnni,
                    const CpuInfo& cpu = kIntel) {
  for (const ConvCandidate& own : conv_candidates(conv, isa, cpu))
    if (own.kernel->name == name) return own.refusal;
  return "no such kernel";
}

TEST(ConvCandidates, TheCheapestOfEachCpu) {
  for (const CpuInfo& cpu : {kZen5, kZen4, kIntel}) {
    EXPECT_EQ(taken(conv_of(8, 8, k3x3), Isa::avx512_vnni, cpu), "avx512_vnni.direct");
    EXPECT_EQ(taken(conv_of(4, 4, k3x3), Isa::avx512_vnni, cpu), "avx512_vnni.winograd");
    EXPECT_EQ(taken(conv_of(2, 2, k3x3), Isa::avx512_vnni, cpu), "avx512_vnni.winograd");
    EXPECT_EQ(taken(conv_of(1, 1, k3x3), Isa::avx512_vnni, cpu), "avx512_vnni.popcount");
    EXPECT_EQ(taken(conv_of(8, 8, k3x3), Isa::avx2_vnni, cpu), "avx2_vnni.direct");
    EXPECT_EQ(taken(conv_of(2, 2, k3x3), Isa::avx2, cpu), "avx2.winograd");
    EXPECT_EQ(taken(conv_of(1, 2, k3x3), Isa::avx2, cpu), "avx2.table");
    EXPECT_EQ(taken(conv_of(8, 8, k3x3), Isa::scalar, cpu), "scalar.reference");
  }
}

TEST(ConvCandidates, AreInTheOrderOfTheirCostAndThenRefused) {
  const auto candidates = conv_candidates(conv_of(2, 2, k3x3), Isa::avx512, kIntel);
  EXPECT_EQ(candidates.size(), conv_kernels().size());
  bool refused = false;
  double least = 0.0;
  for (const ConvCandidate& own : candidates) {
    EXPECT_FALSE(refused && own.refusal.empty()) << own.kernel->name;
    refused = refused || !own.refusal.empty();
    if (refused) {
      EXPECT_EQ(own.cycles, 0.0) << own.kernel->name;
    } else {
      EXPECT_GE(own.cycles, least) << own.kernel->name;
      EXPECT_GT(own.cycles, 0.0) << own.kernel->name;
      least = own.cycles;
    }
  }
  EXPECT_TRUE(refused);
}

TEST(ConvCandidates, SayWhyTheyDoNotApply) {
  const auto with = [](int weight_bits, int activation_bits, auto change) {
    ConvShape shape = k3x3;
    change(shape);
    return conv_of(weight_bits, activation_bits, shape);
  };
  const auto nothing = [](ConvShape&) {};
  const CodeConv plain = with(2, 2, nothing);
  EXPECT_EQ(refusal("avx512_vnni.direct", plain), "");
  EXPECT_EQ(refusal("avx512_vnni.direct", plain, Isa::avx2),
            "instruction set avx2, not avx512_vnni");
  const std::string winograd = "avx512_vnni.winograd";
  EXPECT_EQ(refusal(winograd, plain), "");
  EXPECT_EQ(refusal(winograd, with(2, 8, nothing)), "codes of 8 bits, not 6 or fewer");
  EXPECT_EQ(refusal(winograd, with(8, 2, nothing)), "weights of 8 bits, not 4 or fewer");
  EXPECT_EQ(refusal(winograd, with(2, 2, [](ConvShape& s) { s.stride_width = 2; })),
            "stride 1x2, not 1x1");
  EXPECT_EQ(refusal(winograd, with(2, 2, [](ConvShape& s) { s.kernel_height = 1; })),
            "kernel 1x3, not 3x3");
  EXPECT_EQ(refusal(winograd, with(2, 2, [](ConvShape& s) { s.dilation_height = 2; })),
            "dilation 2x1, not 1x1");
  EXPECT_EQ(refusal(winograd, with(2, 2, [](ConvShape& s) { s.groups = 2; })), "2 groups, not 1");
  // Weights are stored as -8..7, codes reach 63: 9 * 8 * 63 of each channel.
  EXPECT_EQ(refusal(winograd, with(4, 6, [](ConvShape& s) { s.in_channels = 120'000; })),
            "sums to 544320000, not a quarter of what 32 bits hold");
  EXPECT_EQ(refusal("avx512_vnni.popcount", plain), "weights of 2 bits, not 1");
  EXPECT_EQ(refusal("avx512_vnni.popcount2", with(1, 1, nothing)), "codes of 1 bit, not 2");
  CpuInfo without = kIntel;
  without.features.avx512_vpopcntdq = false;
  EXPECT_EQ(refusal("avx512_vnni.popcount", with(1, 1, nothing), Isa::avx512_vnni, without),
            "the CPU lacks VPOPCNTD");
  EXPECT_EQ(refusal("avx2.table2", with(2, 4, nothing)), "codes of 4 bits, not 1 or 2");
  EXPECT_EQ(refusal("avx2.pairs", with(8, 8, nothing)),
            "weights of 8 bits and codes of 8 bits, not pairs of products that fit 16 bits");
  EXPECT_EQ(refusal("avx2.depthwise", plain), "1 group, not one for each channel");
  EXPECT_EQ(refusal("avx2.depthwise", with(2, 2, [](ConvShape& s) { s.groups = 32; })),
            "groups of 2 and 2 channels, not 1 and 1");
  EXPECT_EQ(refusal("avx512_vnni.direct", with(2, 2, [](ConvShape& s) { s.groups = 8; })),
            "groups of 8 output channels, not 16 or more");
  EXPECT_EQ(refusal("avx512_vnni.direct", with(2, 2, [](ConvShape& s) { s.padding_width = 17; })),
            "padding 1x17, not 16 or less");
  EXPECT_EQ(refusal("scalar.reference", plain), "");
}
#endif

}  // namespace
}  // namespace uniq::kernels
