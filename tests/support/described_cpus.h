// CPUs as their manuals describe them, for tests of what is chosen on each: nothing depends on the
// machine that runs the test. Features are those of CPUID's leaves 1 and 7 (Intel's manual, volume
// 2A; AMD's, volume 3) and of ID_AA64ISAR0_EL1 and ID_AA64ISAR1_EL1 (ARM's technical reference
// manuals of the cores), under an operating system that saves all registers.
#pragma once

#include <string>
#include <vector>

#include "uniq/base/cpu.h"

namespace uniq::testing {

inline CpuInfo intel(const std::string& model, const CpuFeatures& features) {
  return {model, features, "GenuineIntel", 6};
}
inline CpuInfo amd(const std::string& model, int family, const CpuFeatures& features) {
  return {model, features, "AuthenticAMD", family};
}

// Feature sets, each with what the one before it has.
inline constexpr CpuFeatures kAvx2 = {.avx2 = true, .fma = true};
inline constexpr CpuFeatures kAvx512 = {
    .avx2 = true, .fma = true, .avx512f = true, .avx512bw = true, .avx512vl = true};
inline constexpr CpuFeatures kAvx512Vnni = [] {
  CpuFeatures features = kAvx512;
  features.avx512_vnni = true;
  return features;
}();
/// With VPOPCNTD and VPERMB.
inline constexpr CpuFeatures kAvx512Bits = [] {
  CpuFeatures features = kAvx512Vnni;
  features.avx512_vpopcntdq = features.avx512_vbmi = true;
  return features;
}();
constexpr CpuFeatures with_avx_vnni(CpuFeatures features) {
  features.avx_vnni = true;
  return features;
}

inline const CpuInfo kNehalem = intel("Nehalem", {});  // SSE4.2, no AVX
inline const CpuInfo kHaswell = intel("Haswell", kAvx2);
inline const CpuInfo kSkylakeX = intel("Skylake-X", kAvx512);
inline const CpuInfo kCascadeLake = intel("Cascade Lake", kAvx512Vnni);
inline const CpuInfo kIceLake = intel("Ice Lake", kAvx512Bits);
inline const CpuInfo kAlderLake = intel("Alder Lake", with_avx_vnni(kAvx2));
inline const CpuInfo kSapphireRapids = intel("Sapphire Rapids", with_avx_vnni(kAvx512Bits));
inline const CpuInfo kZen2 = amd("Zen 2", 23, kAvx2);
inline const CpuInfo kZen3 = amd("Zen 3", 25, kAvx2);
inline const CpuInfo kZen4 = amd("Zen 4", 25, kAvx512Bits);
inline const CpuInfo kZen5 = amd("Zen 5", 26, with_avx_vnni(kAvx512Bits));

inline const CpuInfo kCortexA72 = {"Cortex-A72", {.neon = true}};
inline const CpuInfo kCortexA76 = {"Cortex-A76", {.neon = true, .dotprod = true}};
inline const CpuInfo kNeoverseN1 = {"Neoverse N1", {.neon = true, .dotprod = true}};

inline const std::vector<CpuInfo> kX86Cpus = {
    kNehalem,        kHaswell, kSkylakeX, kCascadeLake, kIceLake, kAlderLake,
    kSapphireRapids, kZen2,    kZen3,     kZen4,        kZen5};
inline const std::vector<CpuInfo> kArmCpus = {kCortexA72, kCortexA76, kNeoverseN1};

/// The CPUs whose kernels are part of this build.
inline const std::vector<CpuInfo>& described_cpus() {
#if defined(__aarch64__)
  return kArmCpus;
#else
  return kX86Cpus;
#endif
}

/// Those whose features this machine has too: what is chosen for them may be executed here.
inline std::vector<CpuInfo> executable_cpus() {
  std::vector<CpuInfo> cpus;
  for (const CpuInfo& cpu : described_cpus())
    if (has_all(cpu_info().features, cpu.features)) cpus.push_back(cpu);
  return cpus;
}

}  // namespace uniq::testing
