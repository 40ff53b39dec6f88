#include "uniq/kernels/rates.h"

#include <algorithm>

#include "uniq/kernels/stored_weights.h"

namespace uniq::kernels {
namespace {

// Zen 5's numbers are fitted by hand to the layers of pre-activation ResNet-18 and MobileNetV2 as
// `uniqnn bench --tune --threads 1` times them, less an epilogue: most 3x3 layers come out within a
// quarter. Those of Zen 4 and Intel follow from their peaks (docs/kernels.md) and what was timed of
// single loops; what lies around the loops was not timed there.

/// Whole 512-bit units, VPOPCNTD on two ports.
constexpr Rates kZen5 = {.avx512_vnni = 127,
                         .avx2_vnni = 62,
                         .avx512_bytes = 90,
                         .avx2_bytes = 50,
                         .avx512_words = 54,
                         .avx2_words = 27,
                         .popcount = 660,
                         .popcount2 = 330,
                         .table = 180,
                         .table2 = 82,
                         .avx512_depthwise = 19,
                         .avx2_depthwise = 10,
                         .scalar = 0.7,
                         .table_codes = 1.2,
                         .winograd512_in = 15,
                         .winograd512_out = 4,
                         .winograd256_in = 15,
                         .winograd256_out = 4,
                         .triples = 300,
                         .triples1 = 200,
                         .triple_codes = 2.5,
                         .weights = 24,
                         .layout_codes = 2.5,
                         .call = 20};

/// 512-bit vectors in two halves.
constexpr Rates make_zen4() {
  Rates rates = kZen5;
  rates.avx512_vnni = 63;
  rates.avx512_bytes = 45;
  rates.avx512_words = 27;
  rates.popcount = 337;
  rates.popcount2 = 168;
  rates.avx512_depthwise = 10;
  rates.winograd512_in = 10;
  rates.winograd512_out = 3;
  rates.triples = 150;
  rates.triples1 = 110;
  return rates;
}
constexpr Rates kZen4 = make_zen4();

/// Whole 512-bit units, VPOPCNTD on one port: Intel, and what nobody has measured.
constexpr Rates make_intel() {
  Rates rates = kZen5;
  rates.popcount = 341;
  rates.popcount2 = 170;
  rates.triples = 140;
  rates.triples1 = 100;
  return rates;
}
constexpr Rates kIntel = make_intel();

/// 64-bit ARM. Not measured: two vector instructions a cycle, as many as docs/kernels.md counts.
constexpr Rates kArm = {.popcount = 78,
                        .popcount2 = 40,
                        .table = 60,
                        .table2 = 28,
                        .neon_dot = 32,
                        .neon_pairs = 12.8,
                        .neon_words = 7.2,
                        .neon_depthwise = 3,
                        .scalar = 0.7,
                        .table_codes = 1.6,
                        .weights = 8,
                        .layout_codes = 1.5,
                        .call = 30};

}  // namespace

const Rates& rates_of(const CpuInfo& cpu) {
  if (cpu.features.neon) return kArm;
  constexpr int kFamilyOfZen5 = 26;
  if (cpu.vendor != "AuthenticAMD") return kIntel;
  return cpu.family >= kFamilyOfZen5 ? kZen5 : kZen4;
}

double pairs_rate(double rate, std::int64_t steps) {
  constexpr double kShares[] = {0.64, 0.82, 0.9};
  constexpr std::int64_t kMany = 16;
  if (steps >= kMany) return rate;
  return rate * kShares[std::clamp<std::int64_t>(steps, 1, 3) - 1];
}

double neon_pairs_rate(double rate, std::int64_t steps) {
  // Instructions of a whole tile: for a word, and to add its sums up in memory.
  constexpr double kWord = 50;
  constexpr double kMemory = 64;
  const double words = static_cast<double>(steps) * kWord;
  return rate * words / (words + kMemory);
}

double dot_cycles(const ConvShape& shape, std::int64_t pixels, std::int64_t taps,
                  const DotTile& tile, double rate, double call) {
  const std::int64_t outs = divide_up(shape.group_out(), tile.lanes) * tile.lanes;
  const std::int64_t ins = divide_up(shape.group_in(), tile.word) * tile.word;
  const std::int64_t calls = divide_up(outs, tile.outs) * divide_up(pixels, tile.pixels);
  const double of_group =
      static_cast<double>(pixels * taps * outs * ins) / rate + static_cast<double>(calls) * call;
  return static_cast<double>(shape.groups) * of_group;
}

double weight_cycles(std::int64_t bytes, const Rates& rates) {
  constexpr std::int64_t kCached = 600'000;
  return bytes > kCached ? static_cast<double>(bytes) / rates.weights : 0.0;
}

double dot_cycles(const ConvShape& shape, const DotTile& tile, double rate, double call) {
  return dot_cycles(shape, shape.out_height * shape.out_width, shape.taps(), tile, rate, call);
}

}  // namespace uniq::kernels
