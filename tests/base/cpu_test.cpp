#include "uniq/base/cpu.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "uniq/base/version.h"

namespace uniq {
namespace {

constexpr std::uint32_t bit(int number) { return std::uint32_t{1} << number; }
constexpr std::uint64_t kXmmYmm = 0x7;
constexpr std::uint64_t kXmmYmmZmm = 0xe7;

/// A processor with everything, under a kernel that enables everything.
X86Registers everything() { return {~0U, ~0U, ~0U, ~0U, kXmmYmmZmm}; }

TEST(X86Features, FindsEverythingWhereTheKernelEnablesIt) {
  EXPECT_EQ(to_string(x86_features(everything())),
            "avx2 fma avx_vnni avx512f avx512bw avx512vl avx512_vnni avx512_vpopcntdq avx512_vbmi");
}

TEST(X86Features, NothingWhereTheKernelDoesNotSaveYmm) {
  X86Registers registers = everything();
  for (const std::uint64_t xcr0 : {0x0ULL, 0x3ULL, 0xe1ULL, 0xe3ULL}) {
    registers.xcr0 = xcr0;
    EXPECT_EQ(x86_features(registers), CpuFeatures{}) << "xcr0 " << xcr0;
  }
}

TEST(X86Features, NoAvx512WhereTheKernelDoesNotSaveZmm) {
  X86Registers registers = everything();
  for (const std::uint64_t xcr0 : {kXmmYmm, kXmmYmm | 0x20, kXmmYmm | 0x60, kXmmYmm | 0xc0}) {
    registers.xcr0 = xcr0;
    EXPECT_EQ(to_string(x86_features(registers)), "avx2 fma avx_vnni") << "xcr0 " << xcr0;
  }
}

TEST(X86Features, NoAvx512ExtensionWithoutItsFoundation) {
  X86Registers registers = everything();
  registers.leaf7_ebx = ~bit(16);
  EXPECT_EQ(to_string(x86_features(registers)), "avx2 fma avx_vnni");
}

TEST(X86Features, EachBitIsItsOwn) {
  const std::uint32_t avx = bit(28);
  const std::uint32_t foundation = bit(16);
  const auto text = [](const X86Registers& registers) {
    return to_string(x86_features(registers));
  };
  EXPECT_EQ(text({avx, 0, 0, 0, kXmmYmmZmm}), "none");
  EXPECT_EQ(text({avx, bit(5), 0, 0, kXmmYmmZmm}), "avx2");
  EXPECT_EQ(text({avx | bit(12), 0, 0, 0, kXmmYmmZmm}), "fma");
  EXPECT_EQ(text({avx, 0, 0, bit(4), kXmmYmmZmm}), "avx_vnni");
  EXPECT_EQ(text({avx, foundation, 0, 0, kXmmYmmZmm}), "avx512f");
  EXPECT_EQ(text({avx, foundation | bit(30), 0, 0, kXmmYmmZmm}), "avx512f avx512bw");
  EXPECT_EQ(text({avx, foundation | bit(31), 0, 0, kXmmYmmZmm}), "avx512f avx512vl");
  EXPECT_EQ(text({avx, foundation, bit(11), 0, kXmmYmmZmm}), "avx512f avx512_vnni");
  EXPECT_EQ(text({avx, foundation, bit(14), 0, kXmmYmmZmm}), "avx512f avx512_vpopcntdq");
  EXPECT_EQ(text({avx, foundation, bit(1), 0, kXmmYmmZmm}), "avx512f avx512_vbmi");
}

TEST(X86Family, TheExtendedPartCountsBehindFifteen) {
  EXPECT_EQ(x86_family(0x000806f8), 6);   // Intel, model 143
  EXPECT_EQ(x86_family(0x00a10f11), 25);  // AMD Zen 4
  EXPECT_EQ(x86_family(0x00b00f21), 26);  // AMD Zen 5
  EXPECT_EQ(x86_family(0x00f00601), 6);
}

TEST(CpuInfo, TextNamesModelAndFeatures) {
  CpuInfo info{"Some CPU", {}};
  EXPECT_EQ(to_string(info), "Some CPU: none");
  info.features.neon = true;
  info.features.i8mm = true;
  EXPECT_EQ(to_string(info), "Some CPU: neon i8mm");
  EXPECT_FALSE(cpu_info().model.empty());
}

TEST(CpuFeatures, HasAllWhereNoneIsMissing) {
  const CpuFeatures both = {.avx2 = true, .i8mm = true};
  for (const CpuFeatures& needed : {CpuFeatures{}, CpuFeatures{.avx2 = true}, both})
    EXPECT_TRUE(has_all(both, needed)) << to_string(needed);
  for (const CpuFeatures& needed :
       {CpuFeatures{.fma = true}, CpuFeatures{.avx2 = true, .neon = true}})
    EXPECT_FALSE(has_all(both, needed)) << to_string(needed);
}

#if defined(__linux__)

/// The words behind `key` in /proc/cpuinfo: what the kernel found and enabled itself.
std::set<std::string> kernel_words(const std::string& key) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    std::istringstream words(line.substr(line.find(':') + 1));
    std::set<std::string> found;
    for (std::string word; words >> word;) found.insert(word);
    return found;
  }
  return {};
}

#if defined(__x86_64__)
TEST(CpuInfo, AgreesWithTheKernel) {
  const std::set<std::string> flags = kernel_words("flags");
  if (flags.empty()) GTEST_SKIP() << "/proc/cpuinfo lists no flags";
  const auto& [avx2, fma, avx_vnni, avx512f, avx512bw, avx512vl, vnni, vpopcntdq, vbmi, neon,
               dotprod, i8mm] = cpu_info().features;
  EXPECT_EQ(avx2, flags.contains("avx2"));
  EXPECT_EQ(fma, flags.contains("fma"));
  EXPECT_EQ(avx_vnni, flags.contains("avx_vnni"));
  EXPECT_EQ(avx512f, flags.contains("avx512f"));
  EXPECT_EQ(avx512bw, flags.contains("avx512bw"));
  EXPECT_EQ(avx512vl, flags.contains("avx512vl"));
  EXPECT_EQ(vnni, flags.contains("avx512_vnni"));
  EXPECT_EQ(vpopcntdq, flags.contains("avx512_vpopcntdq"));
  EXPECT_EQ(vbmi, flags.contains("avx512vbmi"));
  EXPECT_FALSE(neon || dotprod || i8mm);
  EXPECT_EQ(kernel_words("vendor_id"), std::set{cpu_info().vendor});
  EXPECT_EQ(kernel_words("cpu family"), std::set{std::to_string(cpu_info().family)});
}
#elif defined(__aarch64__)
TEST(CpuInfo, AgreesWithTheKernel) {
  const std::set<std::string> flags = kernel_words("Features");
  if (flags.empty()) GTEST_SKIP() << "/proc/cpuinfo lists no features";
  CpuFeatures expected;
  expected.neon = flags.contains("asimd");
  expected.dotprod = flags.contains("asimddp");
  expected.i8mm = flags.contains("i8mm");
  EXPECT_EQ(cpu_info().features, expected);
}
#endif

#endif

TEST(Version, IsSemantic) {
  int major = -1;
  int minor = -1;
  int patch = -1;
  char dot1 = 0;
  char dot2 = 0;
  std::istringstream text{std::string(version())};
  text >> major >> dot1 >> minor >> dot2 >> patch;
  EXPECT_TRUE(text && text.eof()) << version();
  EXPECT_TRUE(dot1 == '.' && dot2 == '.' && major >= 0 && minor >= 0 && patch >= 0) << version();
}

}  // namespace
}  // namespace uniq
