// Which kernel is chosen, on described CPUs: nothing depends on the machine that runs the test, and
// no kernel is executed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/kernels/conv_cases.h"
#include "tests/support/described_cpus.h"

namespace uniq::kernels {
namespace {

using namespace uniq::testing;  // NOLINT: described CPUs

constexpr ConvShape k3x3 = {.in_channels = 64,
                            .in_height = 56,
                            .in_width = 56,
                            .out_channels = 64,
                            .kernel_height = 3,
                            .kernel_width = 3,
                            .padding_height = 1,
                            .padding_width = 1};

CodeConv conv_of(int weight_bits, int activation_bits, const ConvShape& shape = k3x3) {
  return make_conv(with_output(shape), {Grid::mid_rise, weight_bits},
                   {Grid::unsigned_, activation_bits}, Pad::nothing);
}

/// k3x3, changed.
template <class Change>
ConvShape with(Change change) {
  ConvShape shape = k3x3;
  change(shape);
  return shape;
}
ConvShape strided() {
  return with([](ConvShape& s) { s.stride_height = s.stride_width = 2; });
}
ConvShape dilated() {
  return with([](ConvShape& s) { s.dilation_width = 2; });
}
ConvShape grouped(std::int64_t groups) {
  return with([&](ConvShape& s) { s.groups = groups; });
}
ConvShape pointwise() {
  return with([](ConvShape& s) {
    s.kernel_height = s.kernel_width = 1;
    s.padding_height = s.padding_width = 0;
  });
}
/// The first layer of a network for ImageNet.
ConvShape stem() {
  return {.in_channels = 3,
          .in_height = 224,
          .in_width = 224,
          .out_channels = 64,
          .kernel_height = 7,
          .kernel_width = 7,
          .stride_height = 2,
          .stride_width = 2,
          .padding_height = 3,
          .padding_width = 3};
}
/// The last one.
ConvShape vector() {
  return {.in_channels = 512, .in_height = 1, .in_width = 1, .out_channels = 1000};
}

std::vector<CodeConv> some_convs() {
  std::vector<CodeConv> convs;
  for (const ConvShape& shape : {k3x3, strided(), dilated(), grouped(2), grouped(16), grouped(64),
                                 pointwise(), stem(), vector()})
    for (const auto& [weights, codes] :
         {std::pair{1, 1}, {1, 2}, {2, 1}, {2, 2}, {3, 3}, {4, 4}, {6, 8}, {8, 4}, {8, 8}})
      convs.push_back(conv_of(weights, codes, shape));
  return convs;
}

std::string chosen(const CodeConv& conv, const CpuInfo& cpu, Isa isa) {
  return conv_candidates(conv, isa, cpu).front().kernel->name;
}
/// With the best instruction set that the CPU has.
std::string chosen(const CodeConv& conv, const CpuInfo& cpu) {
  return chosen(conv, cpu, available_isas(cpu).back());
}

bool is_by(const ConvKernel& kernel, const std::string& way) {
  const std::string name = kernel.name;
  return name.substr(name.find('.') + 1).starts_with(way);
}

TEST(ChooseConv, NamesAreUniqueAndScalarIsLast) {
  std::set<std::string> names;
  for (const ConvKernel& kernel : conv_kernels()) names.insert(kernel.name);
  EXPECT_EQ(names.size(), conv_kernels().size());
  EXPECT_STREQ(conv_kernels().back().name, "scalar.reference");
  for (const CpuInfo& cpu : described_cpus())
    for (const CodeConv& conv : some_convs())
      EXPECT_TRUE(conv_kernels().back().supports(conv, cpu)) << cpu.model << ": " << describe(conv);
}

TEST(ChooseConv, ScalarIsWhatWasAskedFor) {
  for (const CpuInfo& cpu : described_cpus())
    for (const CodeConv& conv : some_convs())
      EXPECT_EQ(chosen(conv, cpu, Isa::scalar), "scalar.reference") << cpu.model;
}

// What is chosen can be executed there, and is the cheapest of what can.
TEST(ChooseConv, NothingThatTheCpuLacks) {
  for (const CpuInfo& cpu : described_cpus())
    for (const Isa isa : available_isas(cpu))
      for (const CodeConv& conv : some_convs()) {
        SCOPED_TRACE(cpu.model + ", " + std::string(isa_name(isa)) + ": " + describe(conv));
        for (const ConvCandidate& own : conv_candidates(conv, isa, cpu)) {
          if (!own.refusal.empty()) continue;
          EXPECT_TRUE(includes(isa, own.kernel->isa)) << own.kernel->name;
          EXPECT_TRUE(has_isa(own.kernel->isa, cpu)) << own.kernel->name;
          // Beyond the instruction sets: VPOPCNTD, VPERMB.
          if (own.kernel->isa == Isa::avx512_vnni && is_by(*own.kernel, "popcount")) {
            EXPECT_TRUE(cpu.features.avx512_vpopcntdq) << own.kernel->name;
          }
          if (is_by(*own.kernel, "triples")) {
            EXPECT_TRUE(cpu.features.avx512_vbmi) << own.kernel->name;
          }
        }
      }
}

TEST(ChooseConv, InTheOrderOfTheirCostAndThenRefused) {
  for (const CpuInfo& cpu : described_cpus())
    for (const Isa isa : available_isas(cpu))
      for (const CodeConv& conv : some_convs()) {
        SCOPED_TRACE(cpu.model + ", " + std::string(isa_name(isa)) + ": " + describe(conv));
        const auto candidates = conv_candidates(conv, isa, cpu);
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
      }
}

// More instructions add kernels and take none away.
TEST(ChooseConv, ALargerInstructionSetIsNeverSlower) {
  for (const CpuInfo& cpu : described_cpus())
    for (const Isa more : available_isas(cpu))
      for (const Isa less : available_isas(cpu)) {
        if (!includes(more, less)) continue;
        for (const CodeConv& conv : some_convs())
          EXPECT_LE(conv_candidates(conv, more, cpu).front().cycles,
                    conv_candidates(conv, less, cpu).front().cycles)
              << cpu.model << ", " << isa_name(more) << ", " << isa_name(less) << ": "
              << describe(conv);
      }
}

#if defined(__x86_64__)
TEST(ChooseConv, TheBestOfEachCpu) {
  const std::vector<CpuInfo> avx2 = {kHaswell, kZen2, kZen3};
  const std::vector<CpuInfo> vnni = {kCascadeLake, kIceLake, kSapphireRapids, kZen4, kZen5};
  for (const CodeConv& conv : {conv_of(8, 8), conv_of(4, 4), conv_of(2, 2), conv_of(1, 1)})
    EXPECT_EQ(chosen(conv, kNehalem), "scalar.reference");

  for (const CpuInfo& cpu : avx2)
    EXPECT_EQ(chosen(conv_of(8, 8), cpu), "avx2.winograd_wide") << cpu.model;
  EXPECT_EQ(chosen(conv_of(8, 8), kAlderLake), "avx2_vnni.direct");
  EXPECT_EQ(chosen(conv_of(8, 8), kSkylakeX), "avx512.winograd_wide");
  for (const CpuInfo& cpu : vnni)
    EXPECT_EQ(chosen(conv_of(8, 8), cpu), "avx512_vnni.direct") << cpu.model;

  for (const int bits : {2, 4}) {
    for (const CpuInfo& cpu : avx2)
      EXPECT_EQ(chosen(conv_of(bits, bits), cpu), "avx2.winograd") << cpu.model;
    EXPECT_EQ(chosen(conv_of(bits, bits), kAlderLake), "avx2_vnni.winograd");
    EXPECT_EQ(chosen(conv_of(bits, bits), kSkylakeX), "avx512.winograd");
  }
  for (const CpuInfo& cpu : vnni)
    EXPECT_EQ(chosen(conv_of(4, 4), cpu), "avx512_vnni.winograd") << cpu.model;
  // Beside VPDPBUSD, look-ups with VPERMB are twice as fast on Zen as on Intel's.
  for (const CpuInfo& cpu : {kCascadeLake, kIceLake, kSapphireRapids})
    EXPECT_EQ(chosen(conv_of(2, 2), cpu), "avx512_vnni.winograd") << cpu.model;
  for (const CpuInfo& cpu : {kZen4, kZen5})
    EXPECT_EQ(chosen(conv_of(2, 2), cpu), "avx512_vnni.triples") << cpu.model;

  for (const CpuInfo& cpu : avx2) EXPECT_EQ(chosen(conv_of(1, 2), cpu), "avx2.table") << cpu.model;
  for (const CpuInfo& cpu : {kIceLake, kSapphireRapids, kZen4, kZen5})
    EXPECT_EQ(chosen(conv_of(1, 1), cpu), "avx512_vnni.popcount") << cpu.model;
}

TEST(ChooseConv, TheBestOfEachInstructionSet) {
  const auto small = [](int bits, ConvShape shape) {
    shape.in_height = shape.in_width = 8;
    return conv_of(bits, bits, shape);
  };
  EXPECT_EQ(chosen(small(2, k3x3), kZen5, Isa::avx2), "avx2.winograd");
  EXPECT_EQ(chosen(small(2, k3x3), kZen5, Isa::avx512_vnni), "avx512_vnni.triples");
  EXPECT_EQ(chosen(small(2, strided()), kZen5, Isa::avx2), "avx2.table2");
  EXPECT_EQ(chosen(small(4, k3x3), kZen5, Isa::avx2), "avx2.winograd");
  EXPECT_EQ(chosen(small(4, k3x3), kZen5, Isa::avx2_vnni), "avx2_vnni.winograd");
  EXPECT_EQ(chosen(small(4, k3x3), kZen5, Isa::avx512), "avx512.winograd");
  EXPECT_EQ(chosen(small(8, k3x3), kZen5, Isa::avx512_vnni), "avx512_vnni.direct");
  EXPECT_EQ(chosen(small(8, k3x3), kZen5, Isa::avx512), "avx512.winograd_wide");
  EXPECT_EQ(chosen(small(8, k3x3), kZen5, Isa::avx2), "avx2.winograd_wide");
  EXPECT_EQ(chosen(small(8, strided()), kZen5, Isa::avx2), "avx2.direct");
  ConvShape wide = strided();
  wide.kernel_height = wide.kernel_width = 7;
  wide.padding_height = wide.padding_width = 3;
  EXPECT_EQ(chosen(small(8, wide), kZen5, Isa::avx2), "avx2.rows");
}

TEST(ChooseConv, GroupsThatFillAVector) {
  const auto in_groups = [](std::int64_t out, std::int64_t groups) {
    ConvShape shape = grouped(groups);
    shape.in_height = shape.in_width = 8;
    shape.in_channels = 32;
    shape.out_channels = out;
    return conv_of(2, 2, shape);
  };
  EXPECT_EQ(chosen(in_groups(32, 2), kZen5, Isa::avx512_vnni), "avx512_vnni.direct");
  EXPECT_EQ(chosen(in_groups(32, 4), kZen5, Isa::avx512_vnni), "avx2.pairs");
  // Groups of fewer than 8 outputs, or of one input and two outputs, fill none on any CPU.
  for (const CpuInfo& cpu : described_cpus())
    for (const CodeConv& conv : {in_groups(32, 8), in_groups(64, 32)})
      EXPECT_EQ(chosen(conv, cpu), "scalar.reference") << cpu.model;
  for (const CpuInfo& cpu : described_cpus()) {
    const bool has_avx2 = has_isa(Isa::avx2, cpu);
    const bool has_vnni = has_isa(Isa::avx512_vnni, cpu);
    EXPECT_EQ(chosen(in_groups(32, 32), cpu), has_vnni   ? "avx512_vnni.depthwise"
                                              : has_avx2 ? "avx2.depthwise"
                                                         : "scalar.reference")
        << cpu.model;
  }
}
#elif defined(__aarch64__)
CodeConv small(int weight_bits, int activation_bits, ConvShape shape = k3x3) {
  shape.in_height = shape.in_width = 8;
  return conv_of(weight_bits, activation_bits, shape);
}

/// For each described CPU, with NEON alone, and with the dot-product instructions where it has
/// them.
template <class Use>
void for_each_set(Use use) {
  for (const CpuInfo& cpu : described_cpus())
    for (const Isa isa : available_isas(cpu)) {
      if (isa == Isa::scalar) continue;
      SCOPED_TRACE(cpu.model + ", " + std::string(isa_name(isa)));
      use(cpu, isa, isa == Isa::neon_dot);
    }
}

TEST(ChooseConv, BitsAndTables) {
  for_each_set([](const CpuInfo& cpu, Isa isa, bool has_dot) {
    EXPECT_EQ(chosen(small(1, 1), cpu, isa), "neon.popcount");
    EXPECT_EQ(chosen(small(1, 2), cpu, isa), "neon.table");
    EXPECT_EQ(chosen(small(4, 4, grouped(64)), cpu, isa), "neon.depthwise");
    EXPECT_EQ(chosen(small(2, 2), cpu, isa), has_dot ? "neon_dot.direct" : "neon.table2");
  });
  // Tables do not step over columns.
  EXPECT_EQ(chosen(small(1, 2, dilated()), kCortexA72), "neon.popcount2");
}

TEST(ChooseConv, Products) {
  for_each_set([](const CpuInfo& cpu, Isa isa, bool has_dot) {
    const auto expect = [&](int weights, int codes, const char* without_dot) {
      EXPECT_EQ(chosen(small(weights, codes), cpu, isa), has_dot ? "neon_dot.direct" : without_dot)
          << weights << ' ' << codes;
    };
    for (const int bits : {3, 4, 5, 6}) expect(bits, bits, "neon.pairs");
    // 63 * 255 * 2 fits 16 bits twice, 127 * 255 * 2 once, 255 * 255 * 2 not at all.
    if (!has_dot) expect(6, 8, "neon.pairs");
    if (!has_dot) expect(7, 8, "neon.direct");
    expect(8, 8, "neon.direct");
  });
}

TEST(ChooseConv, GroupsThatFillAVector) {
  for (const CpuInfo& cpu : {kCortexA76, kNeoverseN1}) {
    EXPECT_EQ(chosen(small(8, 8, grouped(16)), cpu), "neon_dot.direct") << cpu.model;
    EXPECT_EQ(chosen(small(8, 8, grouped(32)), cpu), "scalar.reference") << cpu.model;
  }
  EXPECT_EQ(chosen(small(1, 1, grouped(16)), kCortexA72), "neon.pairs");
}
#endif

#if defined(__x86_64__)
/// Why not; "" where it can.
std::string refusal(const std::string& name, const CodeConv& conv, Isa isa = Isa::avx512_vnni,
                    const CpuInfo& cpu = kIceLake) {
  for (const ConvCandidate& own : conv_candidates(conv, isa, cpu))
    if (own.kernel->name == name) return own.refusal;
  return "no such kernel";
}

TEST(ChooseConv, SaysWhyOthersDoNotApply) {
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
  EXPECT_EQ(refusal("avx512_vnni.popcount", with(1, 1, nothing), Isa::avx512_vnni, kCascadeLake),
            "the CPU lacks VPOPCNTD");
  EXPECT_EQ(refusal("avx512_vnni.triples", plain, Isa::avx512_vnni, kCascadeLake),
            "the CPU lacks VPERMB");
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
