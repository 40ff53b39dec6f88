// Instruction sets that the kernels are written for, and which of them is used.
#pragma once

#include <string_view>
#include <vector>

#include "uniq/base/cpu.h"

namespace uniq::kernels {

/// Of one architecture, the worst first. Not a chain: avx512 has no instructions of avx2_vnni.
enum class Isa { scalar, avx2, avx2_vnni, avx512, avx512_vnni, neon, neon_dot };

/// Whether what is held to `allowed` may use what is written for `needed`: all that `needed` asks
/// of the CPU is part of `allowed`.
bool includes(Isa allowed, Isa needed);

/// "scalar", "avx2", "avx2_vnni", "avx512", "avx512_vnni", "neon", "neon_dot": the values of
/// UNIQ_ISA.
std::string_view isa_name(Isa isa);

/// Throws UsageError for any other name, with the nearest.
Isa parse_isa(std::string_view name);

/// Whether the CPU, under its operating system, has what the set asks for: avx2 AVX2 and FMA,
/// avx2_vnni the same and AVX-VNNI, avx512 AVX2, FMA and AVX-512 F, BW and VL, avx512_vnni the same
/// and AVX-512 VNNI; neon 64-bit ARM's Advanced SIMD, neon_dot the same with UDOT and SDOT.
bool has_isa(Isa isa, const CpuInfo& cpu = cpu_info());

/// The sets that the CPU has, the worst first; scalar always.
std::vector<Isa> available_isas(const CpuInfo& cpu = cpu_info());

/// The set that UNIQ_ISA in the environment asks for, else the best that the CPU has. Throws
/// UsageError where UNIQ_ISA names a set that is unknown or that the CPU lacks. Reads the
/// environment each time.
Isa chosen_isa(const CpuInfo& cpu = cpu_info());

}  // namespace uniq::kernels
