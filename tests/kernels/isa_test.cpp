#include "uniq/kernels/isa.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <string>
#include <utility>

#include "uniq/base/error.h"

namespace uniq::kernels {
namespace {

constexpr Isa kAll[] = {Isa::scalar,      Isa::avx2, Isa::avx2_vnni, Isa::avx512,
                        Isa::avx512_vnni, Isa::neon, Isa::neon_dot};

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

TEST_F(IsaTest, WhatIsIncludedIsThere) {
  for (const Isa isa : available_isas())
    for (const Isa other : kAll)
      EXPECT_TRUE(!includes(isa, other) || has_isa(other)) << isa_name(isa);
}

TEST_F(IsaTest, ScalarIsAlwaysThere) {
  EXPECT_TRUE(has_isa(Isa::scalar));
  EXPECT_EQ(available_isas().front(), Isa::scalar);
}

TEST_F(IsaTest, TheEnvironmentChooses) {
  unsetenv("UNIQ_ISA");
  EXPECT_EQ(chosen_isa(), available_isas().back());
  ask("");
  EXPECT_EQ(chosen_isa(), available_isas().back());
  for (const Isa isa : available_isas()) {
    ask(std::string(isa_name(isa)));
    EXPECT_EQ(chosen_isa(), isa);
  }
  ask("mmx");
  EXPECT_THROW(chosen_isa(), UsageError);
}

TEST_F(IsaTest, WhatTheCpuLacksIsRefused) {
  int lacking = 0;
  for (const Isa isa : kAll) {
    if (has_isa(isa)) continue;
    ++lacking;
    ask(std::string(isa_name(isa)));
    EXPECT_THAT([] { chosen_isa(); },
                ThrowsMessage<UsageError>(
                    AllOf(HasSubstr("this CPU lacks an instruction set"),
                          HasSubstr(std::string("got ") + std::string(isa_name(isa))))));
  }
  EXPECT_GT(lacking, 0);  // no CPU has both x86's and ARM's
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
