// Instruction sets that the kernels are written for, and which of them is used.
#pragma once

#include <string_view>
#include <vector>

namespace uniq::kernels {

/// In ascending order of what they ask of the CPU.
enum class Isa { scalar, avx2, avx512_vnni };

/// "scalar", "avx2", "avx512_vnni": the values of UNIQ_ISA.
std::string_view isa_name(Isa isa);

/// Throws UsageError for any other name, with the nearest.
Isa parse_isa(std::string_view name);

/// Whether this CPU, under this operating system, has what the set asks for: avx2 AVX2 and FMA,
/// avx512_vnni the same and AVX-512 F, BW, VL and VNNI.
bool has_isa(Isa isa);

/// Those that has_isa, ascending; scalar always.
std::vector<Isa> available_isas();

/// What UNIQ_ISA in the environment asks for, else the highest available. Throws UsageError where
/// it names a set that is unknown or that the CPU lacks. Reads the environment each time.
Isa chosen_isa();

}  // namespace uniq::kernels
