#include "uniq/kernels/isa.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/described_cpus.h"
#include "uniq/base/error.h"

namespace uniq::kernels {
namespace {

constexpr Isa kAll[] = {Isa::scalar,      Isa::avx2, Isa::avx2_vnni, Isa::avx512,
                        Isa::avx512_vnni, Isa::neon, Isa::neon_dot};

using namespace uniq::testing;  // NOLINT: described CPUs
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class IsaTest : public ::testing::Test {
 protected:
  ~IsaTest() override { unsetenv("UNIQ_ISA"); }
  static void ask(const std::string& name) { setenv("UNIQ_ISA", name.c_str(), 1); }
};

TEST_F(IsaTest, NamesComeBack) {
  for (const Isa isa : kAll) EXPECT_EQ(parse_isa(isa_name(isa)), isa);
  EXPECT_THAT([] { parse_isa("avx21"); },
              ThrowsMessage<UsageError>(
                  AllOf(HasSubstr("UNIQ_ISA"), HasSubstr("`avx21`"), HasSubstr("try avx2"))));
}

// A set of pairs, so that a new instruction set has to say what it includes.
TEST_F(IsaTest, WhatIncludesWhat) {
  const std::set<std::pair<Isa, Isa>> others = {{Isa::avx2_vnni, Isa::avx2},
                                                {Isa::avx512, Isa::avx2},
                                                {Isa::avx512_vnni, Isa::avx2},
                                                {Isa::avx512_vnni, Isa::avx512},
                                                {Isa::neon_dot, Isa::neon}};
  for (const Isa allowed : kAll)
    for (const Isa needed : kAll)
      EXPECT_EQ(includes(allowed, needed),
                needed == allowed || needed == Isa::scalar || others.contains({allowed, needed}))
          << isa_name(allowed) << ' ' << isa_name(needed);
}

/// The described CPUs of all architectures, and this machine.
std::vector<CpuInfo> all_cpus() {
  std::vector<CpuInfo> cpus = kX86Cpus;
  cpus.insert(cpus.end(), kArmCpus.begin(), kArmCpus.end());
  cpus.push_back(cpu_info());
  return cpus;
}

TEST_F(IsaTest, EachDescribedCpuHasItsSets) {
  const auto sets = [](const CpuInfo& cpu) {
    std::string text;
    for (const Isa isa : available_isas(cpu)) text += ' ' + std::string(isa_name(isa));
    return text;
  };
  EXPECT_EQ(sets(kNehalem), " scalar");
  for (const CpuInfo& cpu : {kHaswell, kZen2, kZen3}) EXPECT_EQ(sets(cpu), " scalar avx2");
  EXPECT_EQ(sets(kSkylakeX), " scalar avx2 avx512");
  for (const CpuInfo& cpu : {kCascadeLake, kIceLake, kZen4})
    EXPECT_EQ(sets(cpu), " scalar avx2 avx512 avx512_vnni") << cpu.model;
  EXPECT_EQ(sets(kAlderLake), " scalar avx2 avx2_vnni");
  for (const CpuInfo& cpu : {kSapphireRapids, kZen5})
    EXPECT_EQ(sets(cpu), " scalar avx2 avx2_vnni avx512 avx512_vnni") << cpu.model;
  EXPECT_EQ(sets(kCortexA72), " scalar neon");
  for (const CpuInfo& cpu : {kCortexA76, kNeoverseN1})
    EXPECT_EQ(sets(cpu), " scalar neon neon_dot") << cpu.model;
}

// AVX2 comes without FMA on no CPU but in virtual machines that hide it.
TEST_F(IsaTest, ASetIsThereWithAllItsPartsAlone) {
  const auto has = [](Isa isa, const CpuFeatures& features) {
    return has_isa(isa, {"Some CPU", features});
  };
  EXPECT_FALSE(has(Isa::avx2, {.avx2 = true}));
  EXPECT_FALSE(has(Isa::avx2_vnni, {.avx_vnni = true}));
  EXPECT_FALSE(has(Isa::avx512, {.avx2 = true, .fma = true, .avx512f = true, .avx512bw = true}));
  EXPECT_FALSE(has(Isa::avx512_vnni, {.avx2 = true, .fma = true, .avx512_vnni = true}));
  EXPECT_FALSE(has(Isa::neon_dot, {.dotprod = true}));
}

TEST_F(IsaTest, WhatIsIncludedIsThere) {
  for (const CpuInfo& cpu : all_cpus())
    for (const Isa isa : available_isas(cpu))
      for (const Isa other : kAll)
        EXPECT_TRUE(!includes(isa, other) || has_isa(other, cpu))
            << cpu.model << ' ' << isa_name(isa);
}

TEST_F(IsaTest, ScalarIsAlwaysThere) {
  for (const CpuInfo& cpu : all_cpus()) {
    EXPECT_TRUE(has_isa(Isa::scalar, cpu)) << cpu.model;
    EXPECT_EQ(available_isas(cpu).front(), Isa::scalar) << cpu.model;
  }
}

TEST_F(IsaTest, TheEnvironmentChooses) {
  for (const CpuInfo& cpu : all_cpus()) {
    unsetenv("UNIQ_ISA");
    EXPECT_EQ(chosen_isa(cpu), available_isas(cpu).back()) << cpu.model;
    ask("");
    EXPECT_EQ(chosen_isa(cpu), available_isas(cpu).back()) << cpu.model;
    for (const Isa isa : available_isas(cpu)) {
      ask(std::string(isa_name(isa)));
      EXPECT_EQ(chosen_isa(cpu), isa) << cpu.model;
    }
    ask("mmx");
    EXPECT_THROW(chosen_isa(cpu), UsageError) << cpu.model;
  }
}

TEST_F(IsaTest, WhatTheCpuLacksIsRefused) {
  for (const CpuInfo& cpu : all_cpus()) {
    int lacking = 0;
    for (const Isa isa : kAll) {
      if (has_isa(isa, cpu)) continue;
      ++lacking;
      ask(std::string(isa_name(isa)));
      EXPECT_THAT([&] { chosen_isa(cpu); },
                  ThrowsMessage<UsageError>(AllOf(HasSubstr("this CPU lacks an instruction set"),
                                                  HasSubstr("got " + std::string(isa_name(isa)) +
                                                            ", expected one of "
                                                            "scalar"))))
          << cpu.model;
    }
    EXPECT_GT(lacking, 0) << cpu.model;  // no CPU has both x86's and ARM's
  }
}

TEST_F(IsaTest, ThisMachineIsMeantUnlessAnotherIsDescribed) {
  unsetenv("UNIQ_ISA");
  EXPECT_EQ(available_isas(), available_isas(cpu_info()));
  EXPECT_EQ(chosen_isa(), chosen_isa(cpu_info()));
  for (const Isa isa : kAll) EXPECT_EQ(has_isa(isa), has_isa(isa, cpu_info())) << isa_name(isa);
}

TEST_F(IsaTest, TheBestIsWhatTheTestsCpuIsKnownToHave) {
  const char* const known = std::getenv("UNIQ_TEST_ISA");
  if (known == nullptr) GTEST_SKIP() << "UNIQ_TEST_ISA does not say what this CPU has";
  unsetenv("UNIQ_ISA");
  EXPECT_EQ(isa_name(chosen_isa()), known);
}

#if defined(__aarch64__)
TEST_F(IsaTest, NeonIsAlwaysThereOnArm) {
  EXPECT_TRUE(has_isa(Isa::neon));
  EXPECT_NE(chosen_isa(), Isa::scalar);
}
#endif

}  // namespace
}  // namespace uniq::kernels
