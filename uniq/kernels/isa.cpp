#include "uniq/kernels/isa.h"

#include <array>
#include <cstdlib>
#include <string>

#include "uniq/base/error.h"
#include "uniq/base/text.h"

namespace uniq::kernels {
namespace {

constexpr std::array kIsas = {Isa::scalar,      Isa::avx2, Isa::avx2_vnni, Isa::avx512,
                              Isa::avx512_vnni, Isa::neon, Isa::neon_dot};
constexpr char kVariable[] = "UNIQ_ISA";

/// What an instruction set consists of, one bit each.
enum Part : unsigned {
  kAvx2 = 1,
  kAvxVnni = 2,
  kAvx512 = 4,
  kAvx512Vnni = 8,
  kNeon = 16,
  kNeonDot = 32
};

unsigned parts_of(Isa isa) {
  switch (isa) {
    case Isa::avx2:
      return kAvx2;
    case Isa::avx2_vnni:
      return kAvx2 | kAvxVnni;
    case Isa::avx512:
      return kAvx2 | kAvx512;
    case Isa::avx512_vnni:
      return kAvx2 | kAvx512 | kAvx512Vnni;
    case Isa::neon:
      return kNeon;
    case Isa::neon_dot:
      return kNeon | kNeonDot;
    case Isa::scalar:
      break;
  }
  return 0;
}

unsigned parts_of(const CpuFeatures& f) {
  unsigned parts = 0;
  if (f.avx2 && f.fma) parts |= kAvx2;
  if (f.avx_vnni) parts |= kAvxVnni;
  if (f.avx512f && f.avx512bw && f.avx512vl) parts |= kAvx512;
  if (f.avx512_vnni) parts |= kAvx512Vnni;
  if (f.neon) parts |= kNeon;
  if (f.dotprod) parts |= kNeonDot;
  return parts;
}

bool has_all(unsigned parts, unsigned needed) { return (needed & ~parts) == 0; }

std::vector<std::string> names(const std::vector<Isa>& isas) {
  std::vector<std::string> names;
  names.reserve(isas.size());
  for (const Isa isa : isas) names.emplace_back(isa_name(isa));
  return names;
}

}  // namespace

std::string_view isa_name(Isa isa) {
  switch (isa) {
    case Isa::avx2:
      return "avx2";
    case Isa::avx2_vnni:
      return "avx2_vnni";
    case Isa::avx512:
      return "avx512";
    case Isa::avx512_vnni:
      return "avx512_vnni";
    case Isa::neon:
      return "neon";
    case Isa::neon_dot:
      return "neon_dot";
    case Isa::scalar:
      break;
  }
  return "scalar";
}

Isa parse_isa(std::string_view name) {
  for (const Isa isa : kIsas)
    if (isa_name(isa) == name) return isa;
  const std::vector<std::string> known = names({kIsas.begin(), kIsas.end()});
  throw UsageError({.what = "unknown instruction set",
                    .where = kVariable,
                    .got = "`" + std::string(name) + "`",
                    .expected = "one of " + join(known),
                    .remedy = nearest_name(std::string(name), known)});
}

bool includes(Isa allowed, Isa needed) { return has_all(parts_of(allowed), parts_of(needed)); }

bool has_isa(Isa isa, const CpuInfo& cpu) { return has_all(parts_of(cpu.features), parts_of(isa)); }

std::vector<Isa> available_isas(const CpuInfo& cpu) {
  std::vector<Isa> isas;
  for (const Isa isa : kIsas)
    if (has_isa(isa, cpu)) isas.push_back(isa);
  return isas;
}

Isa chosen_isa(const CpuInfo& cpu) {
  const char* const asked = std::getenv(kVariable);
  if (asked == nullptr || *asked == '\0') return available_isas(cpu).back();
  const Isa isa = parse_isa(asked);
  if (!has_isa(isa, cpu))
    throw UsageError({.what = "this CPU lacks an instruction set",
                      .where = kVariable,
                      .got = asked,
                      .expected = "one of " + join(names(available_isas(cpu))),
                      .remedy = "without " + std::string(kVariable)});
  return isa;
}

}  // namespace uniq::kernels
