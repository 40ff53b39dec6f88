#include "bench/kernels/peaks.h"

#include <algorithm>
#include <iterator>

#include "uniq/base/cpu.h"
#include "uniq/kernels/isa.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace uniq::bench {
namespace {

#if defined(__x86_64__)

using kernels::has_isa;
using kernels::Isa;

bool has_avx2() { return has_isa(Isa::avx2); }
bool has_avx2_vnni() { return has_isa(Isa::avx2_vnni); }
bool has_avx512() { return has_isa(Isa::avx512); }
bool has_avx512_vnni() { return has_isa(Isa::avx512_vnni); }
bool has_vbmi() { return has_avx512() && cpu_info().features.avx512_vbmi; }
bool has_popcount() { return has_avx512() && cpu_info().features.avx512_vpopcntdq; }

// A loop of 12 sums, enough for the latency of any of these instructions. The empty statements make
// the compiler take x for another number each time, so that nothing is computed once for all, and
// the sums for used.
// clang-format off
#define UNIQ_STEP(sum)            \
  __asm__ volatile("" : "+v"(x)); \
  (sum) = UNIQ_ADD(sum, x, y);
#define UNIQ_USE(sum) __asm__ volatile("" : : "v"(sum));
#define UNIQ_ALL(use) \
  use(a) use(b) use(c) use(d) use(e) use(f) use(g) use(h) use(i) use(j) use(k) use(l)
#define UNIQ_LOOP(name, features, Vector)                                                       \
  __attribute__((target(features))) void name(std::int64_t rounds) {                            \
    Vector x = {};                                                                              \
    Vector y = {};                                                                              \
    Vector a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;  \
    __asm__ volatile("" : "+v"(y));                                                             \
    for (std::int64_t round = 0; round < rounds; ++round) { UNIQ_ALL(UNIQ_STEP) }               \
    UNIQ_ALL(UNIQ_USE)                                                                          \
  }
// clang-format on

#define UNIQ_ADD(sum, x, y) _mm256_dpbusd_avx_epi32(sum, x, y)
UNIQ_LOOP(vpdpbusd_ymm, "avx2,avxvnni", __m256i)
#undef UNIQ_ADD
#define UNIQ_ADD(sum, x, y) _mm256_add_epi16(sum, _mm256_maddubs_epi16(x, y))
UNIQ_LOOP(vpmaddubsw_ymm, "avx2", __m256i)
#undef UNIQ_ADD
#define UNIQ_ADD(sum, x, y) _mm256_add_epi32(sum, _mm256_madd_epi16(x, y))
UNIQ_LOOP(vpmaddwd_ymm, "avx2", __m256i)
#undef UNIQ_ADD
#define UNIQ_ADD(sum, x, y) _mm256_add_epi8(sum, _mm256_shuffle_epi8(y, x))
UNIQ_LOOP(vpshufb_ymm, "avx2", __m256i)
#undef UNIQ_ADD
#define UNIQ_ADD(sum, x, y) _mm512_dpbusd_epi32(sum, x, y)
UNIQ_LOOP(vpdpbusd_zmm, "avx512f,avx512vnni", __m512i)
#undef UNIQ_ADD
#define UNIQ_ADD(sum, x, y) _mm512_add_epi16(sum, _mm512_maddubs_epi16(x, y))
UNIQ_LOOP(vpmaddubsw_zmm, "avx512f,avx512bw", __m512i)
#undef UNIQ_ADD
#define UNIQ_ADD(sum, x, y) _mm512_add_epi32(sum, _mm512_madd_epi16(x, y))
UNIQ_LOOP(vpmaddwd_zmm, "avx512f,avx512bw", __m512i)
#undef UNIQ_ADD
#define UNIQ_ADD(sum, x, y) _mm512_add_epi8(sum, _mm512_permutexvar_epi8(y, x))
UNIQ_LOOP(vpermb_zmm, "avx512f,avx512bw,avx512vbmi", __m512i)
#undef UNIQ_ADD
#define UNIQ_ADD(sum, x, y) _mm512_add_epi32(sum, _mm512_popcnt_epi32(_mm512_xor_si512(x, y)))
UNIQ_LOOP(vpopcntd_zmm, "avx512f,avx512vpopcntdq", __m512i)
#undef UNIQ_ADD

#undef UNIQ_LOOP
#undef UNIQ_ALL
#undef UNIQ_USE
#undef UNIQ_STEP

constexpr PeakLoop kLoops[] = {
    {"vpdpbusd zmm", has_avx512_vnni, 64, vpdpbusd_zmm},
    {"vpxord, vpopcntd, vpaddd zmm", has_popcount, 512, vpopcntd_zmm},
    {"vpermb, vpaddb zmm", has_vbmi, 192, vpermb_zmm},
    {"vpmaddubsw, vpaddw zmm", has_avx512, 64, vpmaddubsw_zmm},
    {"vpmaddwd, vpaddd zmm", has_avx512, 32, vpmaddwd_zmm},
    {"vpdpbusd ymm", has_avx2_vnni, 32, vpdpbusd_ymm},
    {"vpmaddubsw, vpaddw ymm", has_avx2, 32, vpmaddubsw_ymm},
    {"vpmaddwd, vpaddd ymm", has_avx2, 16, vpmaddwd_ymm},
    {"vpshufb, vpaddb ymm", has_avx2, 128, vpshufb_ymm},
};

struct Named {
  std::string_view kernel, instructions;
  double factor = 1.0;
};
constexpr double kWinograd = 36.0 / 16.0;
constexpr double kStem = 28.0 / 13.0;  ///< Winograd along columns, of the 7x7 window
constexpr Named kBounds[] = {
    {"avx512_vnni.popcount", "vpxord, vpopcntd, vpaddd zmm"},
    {"avx512_vnni.popcount2", "vpxord, vpopcntd, vpaddd zmm", 0.5},
    {"avx512_vnni.triples", "vpermb, vpaddb zmm"},
    {"avx512_vnni.winograd", "vpdpbusd zmm", kWinograd},
    {"avx512_vnni.depthwise", "vpdpbusd zmm"},
    {"avx512_vnni.direct", "vpdpbusd zmm"},
    {"avx512.winograd", "vpmaddubsw, vpaddw zmm", kWinograd},
    {"avx512.pairs", "vpmaddubsw, vpaddw zmm"},
    {"avx512.winograd_wide", "vpmaddwd, vpaddd zmm", kWinograd},
    {"avx512.rows", "vpmaddwd, vpaddd zmm", kStem},
    {"avx512.direct", "vpmaddwd, vpaddd zmm"},
    {"avx2_vnni.winograd", "vpdpbusd ymm", kWinograd},
    {"avx2_vnni.direct", "vpdpbusd ymm"},
    {"avx2.depthwise", "vpmaddwd, vpaddd ymm"},
    {"avx2.rows", "vpmaddwd, vpaddd ymm", kStem},
    {"avx2.table", "vpshufb, vpaddb ymm"},
    {"avx2.winograd", "vpmaddubsw, vpaddw ymm", kWinograd},
    {"avx2.table2", "vpshufb, vpaddb ymm", 0.5},
    {"avx2.pairs", "vpmaddubsw, vpaddw ymm"},
    {"avx2.winograd_wide", "vpmaddwd, vpaddd ymm", kWinograd},
    {"avx2.direct", "vpmaddwd, vpaddd ymm"},
};

std::span<const Named> named_bounds() { return kBounds; }

#else

struct Named {
  std::string_view kernel, instructions;
  double factor = 1.0;
};
constexpr std::span<const PeakLoop> kLoops;
std::span<const Named> named_bounds() { return {}; }

#endif

}  // namespace

std::span<const PeakLoop> peak_loops() { return kLoops; }

Bound bound_of(std::string_view kernel) {
  for (const Named& named : named_bounds()) {
    if (named.kernel != kernel) continue;
    for (const PeakLoop& loop : kLoops)
      if (loop.instructions == named.instructions && loop.is_there()) return {&loop, named.factor};
  }
  return {};
}

}  // namespace uniq::bench
