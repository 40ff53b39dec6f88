#include "uniq/kernels/isa.h"

#include <array>
#include <cstdlib>
#include <string>

#include "uniq/base/cpu.h"
#include "uniq/base/error.h"
#include "uniq/base/text.h"

namespace uniq::kernels {
namespace {

constexpr std::array kIsas = {Isa::scalar, Isa::avx2, Isa::avx512_vnni};
constexpr char kVariable[] = "UNIQ_ISA";

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
    case Isa::avx512_vnni:
      return "avx512_vnni";
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

bool has_isa(Isa isa) {
#if defined(__x86_64__)
  const CpuFeatures& f = cpu_info().features;
  switch (isa) {
    case Isa::avx2:
      return f.avx2 && f.fma;
    case Isa::avx512_vnni:
      return f.avx2 && f.fma && f.avx512f && f.avx512bw && f.avx512vl && f.avx512_vnni;
    case Isa::scalar:
      break;
  }
  return true;
#else
  return isa == Isa::scalar;
#endif
}

std::vector<Isa> available_isas() {
  std::vector<Isa> isas;
  for (const Isa isa : kIsas)
    if (has_isa(isa)) isas.push_back(isa);
  return isas;
}

Isa chosen_isa() {
  const char* const asked = std::getenv(kVariable);
  if (asked == nullptr || *asked == '\0') return available_isas().back();
  const Isa isa = parse_isa(asked);
  if (!has_isa(isa))
    throw UsageError({.what = "this CPU lacks an instruction set",
                      .where = kVariable,
                      .got = asked,
                      .expected = "one of " + join(names(available_isas())),
                      .remedy = "without " + std::string(kVariable)});
  return isa;
}

}  // namespace uniq::kernels
