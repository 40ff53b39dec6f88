// What the processor is and which instruction sets can be used on it. A set counts only where the
// operating system saves its registers too: a CPU that has AVX-512 under a kernel that does not
// enable it would fault on the first instruction.
#pragma once

#include <cstdint>
#include <string>

namespace uniq {

/// Instruction sets that the integer arithmetic profits from.
struct CpuFeatures {
  bool avx2 = false;
  bool fma = false;
  bool avx_vnni = false;
  bool avx512f = false;
  bool avx512bw = false;
  bool avx512vl = false;
  bool avx512_vnni = false;
  bool avx512_vpopcntdq = false;
  bool avx512_vbmi = false;
  bool neon = false;     ///< 64-bit ARM's Advanced SIMD
  bool dotprod = false;  ///< ARM: SDOT, UDOT
  bool i8mm = false;     ///< ARM: SMMLA, USMMLA
  bool operator==(const CpuFeatures&) const = default;
};

struct CpuInfo {
  std::string model;  ///< "AMD EPYC 9354 32-Core Processor"; "unknown" where it cannot be told
  CpuFeatures features;
  std::string vendor = {};  ///< x86: "GenuineIntel", "AuthenticAMD"; else empty
  int family = 0;           ///< x86: what the vendor calls the family, extended part included
};

/// Of the machine that the program runs on; found once.
const CpuInfo& cpu_info();

/// Whether `features` has all that `needed` has.
bool has_all(const CpuFeatures& features, const CpuFeatures& needed);

/// "avx2 fma avx512f", in the order of the struct, or "none".
std::string to_string(const CpuFeatures& features);

/// "<model>: <features>".
std::string to_string(const CpuInfo& info);

/// What CPUID and XGETBV returned, as Intel's manual names it (volume 2A, CPUID; volume 1, 14.3).
struct X86Registers {
  std::uint32_t leaf1_ecx = 0;
  std::uint32_t leaf7_ebx = 0;
  std::uint32_t leaf7_ecx = 0;
  std::uint32_t leaf7_sub1_eax = 0;
  std::uint64_t xcr0 = 0;  ///< 0 where the operating system does not use XSAVE
};

/// The rule apart from the instructions, so that it can be tested for any processor.
CpuFeatures x86_features(const X86Registers& registers);

/// From EAX of CPUID's leaf 1: the extended family counts where the family is 15 (volume 2A, CPUID,
/// figure 3-6).
int x86_family(std::uint32_t leaf1_eax);

}  // namespace uniq
