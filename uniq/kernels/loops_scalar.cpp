// The loops for any CPU: vectors of one lane.
#include "uniq/kernels/loops.h"

namespace uniq::kernels {
namespace {

constexpr std::int64_t kLanes = 1;
using Floats = float;

Floats zero() { return 0.0f; }
Floats load(const float* p, std::int64_t /*n*/ = 1) { return *p; }
void store(float* p, Floats v, std::int64_t /*n*/ = 1) { *p = v; }
Floats broadcast(const float* p) { return *p; }
Floats multiply_add(Floats a, Floats b, Floats c) { return __builtin_fmaf(a, b, c); }
Floats add(Floats a, Floats b) { return a + b; }
Floats subtract(Floats a, Floats b) { return a - b; }
Floats multiply(Floats a, Floats b) { return a * b; }
Floats divide(Floats a, Floats b) { return a / b; }
Floats larger(Floats a, Floats b) { return a > b ? a : b; }
Floats smaller(Floats a, Floats b) { return a < b ? a : b; }
using Ints = std::uint32_t;
Ints load(const std::int32_t* p, std::int64_t /*n*/) { return static_cast<Ints>(*p); }
Ints add(Ints a, Ints b) { return a + b; }
Ints broadcast_int(std::int32_t x) { return static_cast<Ints>(x); }
Ints shift_left(Ints a, int bits) { return a << bits; }
Ints exclusive_or(Ints a, Ints b) { return a ^ b; }
Ints larger(Ints a, Ints b) {
  return static_cast<std::int32_t>(a) > static_cast<std::int32_t>(b) ? a : b;
}
void store(std::int32_t* p, Ints v, std::int64_t /*n*/) { *p = static_cast<std::int32_t>(v); }
Floats to_floats(Ints a) { return static_cast<float>(static_cast<std::int32_t>(a)); }

int rounded(Floats v) {
  // Adding and taking off 1.5 * 2^23 rounds to the nearest integer, ties to even, for |v| < 2^22.
  constexpr float kRound = 12582912.0f;
  return v > 0.0f ? static_cast<int>((v + kRound) - kRound) : 0;
}
void store_codes(std::uint8_t* p, Floats v, std::int64_t /*n*/) {
  *p = static_cast<std::uint8_t>(rounded(v));
}
void store_codes(std::uint8_t* p, Floats v0, Floats v1, Floats v2, Floats v3) {
  store_codes(p, v0, 1);
  store_codes(p + 1, v1, 1);
  store_codes(p + 2, v2, 1);
  store_codes(p + 3, v3, 1);
}

/// The upper half of a number is its code; the lower one says how far a threshold is away.
struct FixedBounds {
  Ints near;    ///< lower halves below it are near
  int largest;  ///< code

  FixedBounds(std::int32_t margin, int code)
      : near(static_cast<Ints>(2 * margin + 1)), largest(code) {}
};
bool store_fixed(std::uint8_t* p, const FixedBounds& bounds, Floats v, std::int64_t /*n*/) {
  constexpr float kBeyond = 0x1p31f;
  constexpr float kWhole = 0x1p23f;  // from here on all numbers are
  constexpr int kHalf = 16;
  if (v > -kWhole && v < kWhole) v = v < 0.0f ? (v - kWhole) + kWhole : (v + kWhole) - kWhole;
  const auto fixed = v >= -kBeyond && v < kBeyond ? static_cast<std::int32_t>(v) : INT32_MIN;
  const int code = fixed >> kHalf;
  *p = static_cast<std::uint8_t>(code < 0 ? 0 : code < bounds.largest ? code : bounds.largest);
  return (static_cast<Ints>(fixed) & 0xffffU) < bounds.near;
}
bool store_fixed(std::uint8_t* p, const FixedBounds& bounds, Floats v0, Floats v1) {
  const bool near = store_fixed(p, bounds, v0, std::int64_t{1});
  return store_fixed(p + 1, bounds, v1, std::int64_t{1}) || near;
}
bool store_fixed(std::uint8_t* p, const FixedBounds& bounds, Floats v0, Floats v1, Floats v2,
                 Floats v3) {
  const bool near = store_fixed(p, bounds, v0, v1);
  return store_fixed(p + 2, bounds, v2, v3) || near;
}

void store_planes(std::uint8_t* pixel, std::int64_t channel, Floats v, std::int64_t /*n*/,
                  int bits) {
  const int code = rounded(v);
  const auto place = static_cast<int>(channel & 7);
  for (int bit = 0; bit < bits; ++bit) {
    std::uint8_t& byte = pixel[((channel >> 5) * bits + bit) * 4 + ((channel & 31) >> 3)];
    byte = static_cast<std::uint8_t>((byte & ~(1 << place)) | (code >> bit & 1) << place);
  }
}

void store_compared(std::uint8_t* pixel, std::int64_t channel, Floats v, std::int64_t n,
                    const float* thresholds, int bits) {
  int code = 0;
  for (int i = 0; i < (1 << bits) - 1; ++i) code += v >= thresholds[i] ? 1 : 0;
  store_planes(pixel, channel, static_cast<Floats>(code), n, bits);
}
void store_compared(std::uint8_t* pixel, std::int64_t channel, Floats v0, Floats v1, Floats v2,
                    Floats v3, const float* thresholds, int bits) {
  store_compared(pixel, channel, v0, 1, thresholds, bits);
  store_compared(pixel, channel + 1, v1, 1, thresholds, bits);
  store_compared(pixel, channel + 2, v2, 1, thresholds, bits);
  store_compared(pixel, channel + 3, v3, 1, thresholds, bits);
}

std::int32_t sum_bytes(const std::uint8_t* p, std::int64_t n) {
  // Modulo 2^32, as all that is added to sums.
  std::uint32_t sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += p[i];
  return static_cast<std::int32_t>(sum);
}
void sum_pixels(const std::uint8_t* p, std::int64_t pixel, std::int64_t n, std::int64_t count,
                std::int32_t* to) {
  for (std::int64_t i = 0; i < count; ++i, p += pixel) to[i] = sum_bytes(p, n);
}
void sum_words(const std::uint8_t* p, std::int64_t n, std::int32_t* to) {
  for (std::int64_t i = 0; i < n; ++i) to[i] = sum_bytes(p + 4 * i, 4);
}

}  // namespace
}  // namespace uniq::kernels

#define UNIQ_LOOPS kScalarLoops
#include "uniq/kernels/loops.inc"
