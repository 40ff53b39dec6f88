#include "uniq/base/cpu.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <string_view>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace uniq {
namespace {

struct Feature {
  bool CpuFeatures::*member;
  const char* name;
};
/// All, in the order of the struct.
constexpr Feature kFeatures[] = {
    {&CpuFeatures::avx2, "avx2"},
    {&CpuFeatures::fma, "fma"},
    {&CpuFeatures::avx_vnni, "avx_vnni"},
    {&CpuFeatures::avx512f, "avx512f"},
    {&CpuFeatures::avx512bw, "avx512bw"},
    {&CpuFeatures::avx512vl, "avx512vl"},
    {&CpuFeatures::avx512_vnni, "avx512_vnni"},
    {&CpuFeatures::avx512_vpopcntdq, "avx512_vpopcntdq"},
    {&CpuFeatures::avx512_vbmi, "avx512_vbmi"},
    {&CpuFeatures::neon, "neon"},
    {&CpuFeatures::dotprod, "dotprod"},
    {&CpuFeatures::i8mm, "i8mm"},
};

constexpr bool has_bits(std::uint64_t value, std::uint64_t mask) { return (value & mask) == mask; }
constexpr bool has_bit(std::uint64_t value, int bit) { return has_bits(value, 1ULL << bit); }

std::string trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(kBlank) - first + 1));
}

#if defined(__x86_64__)

struct Leaf {
  std::uint32_t eax = 0;
  std::uint32_t ebx = 0;
  std::uint32_t ecx = 0;
  std::uint32_t edx = 0;
};

/// Zeros where the processor does not have the leaf.
Leaf cpuid(std::uint32_t number, std::uint32_t sub = 0) {
  Leaf leaf;
  __get_cpuid_count(number, sub, &leaf.eax, &leaf.ebx, &leaf.ecx, &leaf.edx);
  return leaf;
}

std::uint64_t read_xcr0() {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<std::uint64_t>(high) << 32) | low;
}

CpuFeatures detect_features() {
  X86Registers registers;
  registers.leaf1_ecx = cpuid(1).ecx;
  const Leaf leaf7 = cpuid(7);
  registers.leaf7_ebx = leaf7.ebx;
  registers.leaf7_ecx = leaf7.ecx;
  // EAX of leaf 7 is the number of its last sub-leaf; what lies beyond is not defined.
  if (leaf7.eax >= 1) registers.leaf7_sub1_eax = cpuid(7, 1).eax;
  constexpr int kOsUsesXsave = 27;
  if (has_bit(registers.leaf1_ecx, kOsUsesXsave)) registers.xcr0 = read_xcr0();
  return x86_features(registers);
}

/// The brand string: three leaves of 16 characters, ended or filled with zeros.
std::string detect_model() {
  constexpr std::uint32_t kFirst = 0x80000002;
  constexpr std::uint32_t kCount = 3;
  std::array<char, kCount * sizeof(Leaf) + 1> text{};
  for (std::uint32_t i = 0; i < kCount; ++i) {
    const Leaf leaf = cpuid(kFirst + i);
    std::memcpy(text.data() + i * sizeof(Leaf), &leaf, sizeof(Leaf));
  }
  return trimmed(text.data());
}

/// Twelve characters, in EBX, EDX and ECX of leaf 0.
std::string detect_vendor() {
  const Leaf leaf = cpuid(0);
  const std::array<std::uint32_t, 3> words = {leaf.ebx, leaf.edx, leaf.ecx};
  std::array<char, sizeof words + 1> text{};
  std::memcpy(text.data(), words.data(), sizeof words);
  return trimmed(text.data());
}

int detect_family() { return x86_family(cpuid(1).eax); }

#else

std::string detect_vendor() { return {}; }

int detect_family() { return 0; }

CpuFeatures detect_features() {
  CpuFeatures features;
#if defined(__aarch64__) && defined(__linux__)
  // Bit numbers of asm/hwcap.h, which older systems' headers lack in part.
  constexpr int kAsimd = 1;
  constexpr int kAsimdDotProduct = 20;
  constexpr int kInt8MatrixMultiply = 13;
  features.neon = has_bit(getauxval(AT_HWCAP), kAsimd);
  features.dotprod = has_bit(getauxval(AT_HWCAP), kAsimdDotProduct);
  features.i8mm = has_bit(getauxval(AT_HWCAP2), kInt8MatrixMultiply);
#endif
  return features;
}

/// The kernel's name for it, where it has one.
std::string detect_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const bool names_it = line.starts_with("model name") || line.starts_with("Hardware");
    const auto colon = line.find(':');
    if (names_it && colon != std::string::npos) {
      return trimmed(std::string_view(line).substr(colon + 1));
    }
  }
  return {};
}

#endif

CpuInfo detect() {
  CpuInfo info{detect_model(), detect_features(), detect_vendor(), detect_family()};
  if (info.model.empty()) info.model = "unknown";
  return info;
}

}  // namespace

CpuFeatures x86_features(const X86Registers& registers) {
  // XCR0: bits 1 and 2, the XMM and YMM registers; 5 to 7, AVX-512's masks and ZMM registers.
  constexpr std::uint64_t kYmm = 0x6;
  constexpr std::uint64_t kZmm = 0xe6;
  constexpr int kAvx = 28;
  CpuFeatures features;
  if (!has_bits(registers.xcr0, kYmm) || !has_bit(registers.leaf1_ecx, kAvx)) return features;
  features.avx2 = has_bit(registers.leaf7_ebx, 5);
  features.fma = has_bit(registers.leaf1_ecx, 12);
  features.avx_vnni = has_bit(registers.leaf7_sub1_eax, 4);
  if (!has_bits(registers.xcr0, kZmm) || !has_bit(registers.leaf7_ebx, 16)) return features;
  features.avx512f = true;
  features.avx512bw = has_bit(registers.leaf7_ebx, 30);
  features.avx512vl = has_bit(registers.leaf7_ebx, 31);
  features.avx512_vbmi = has_bit(registers.leaf7_ecx, 1);
  features.avx512_vnni = has_bit(registers.leaf7_ecx, 11);
  features.avx512_vpopcntdq = has_bit(registers.leaf7_ecx, 14);
  return features;
}

int x86_family(std::uint32_t leaf1_eax) {
  constexpr std::uint32_t kExtended = 15;
  const std::uint32_t family = leaf1_eax >> 8 & 0xf;
  return static_cast<int>(family == kExtended ? family + (leaf1_eax >> 20 & 0xff) : family);
}

const CpuInfo& cpu_info() {
  static const CpuInfo info = detect();
  return info;
}

bool has_all(const CpuFeatures& features, const CpuFeatures& needed) {
  return std::ranges::all_of(
      kFeatures, [&](const Feature& f) { return features.*f.member || !(needed.*f.member); });
}

std::string to_string(const CpuFeatures& features) {
  std::string text;
  for (const Feature& feature : kFeatures) {
    if (!(features.*feature.member)) continue;
    if (!text.empty()) text += ' ';
    text += feature.name;
  }
  return text.empty() ? "none" : text;
}

std::string to_string(const CpuInfo& info) { return info.model + ": " + to_string(info.features); }

}  // namespace uniq
