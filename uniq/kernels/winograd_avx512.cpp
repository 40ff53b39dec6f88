// Winograd's transforms for AVX-512: 64 channels of codes, 32 of those that become 16 bits, or 16
// output channels, at once.
#if defined(__x86_64__)
#include <immintrin.h>

#include "uniq/kernels/winograd.h"

namespace uniq::kernels {
namespace {

using Vector = __m512i;
constexpr std::int64_t kLanes = 16;

inline Vector load(const void* p) { return _mm512_loadu_si512(p); }
inline void store(void* p, Vector v) { _mm512_storeu_si512(p, v); }
inline Vector add(Vector a, Vector b) { return _mm512_add_epi32(a, b); }
inline Vector subtract(Vector a, Vector b) { return _mm512_sub_epi32(a, b); }
inline Vector quarter(Vector sum) { return _mm512_srai_epi32(sum, 2); }

struct Bytes {
  static constexpr std::int64_t kChannels = 64;
  static Vector load_codes(const std::uint8_t* p) { return load(p); }
  static Vector add(Vector a, Vector b) { return _mm512_add_epi8(a, b); }
  static Vector subtract(Vector a, Vector b) { return _mm512_sub_epi8(a, b); }
  static Vector all(int x) { return _mm512_set1_epi8(static_cast<char>(x)); }
};

struct Words {
  static constexpr std::int64_t kChannels = 32;
  static Vector load_codes(const std::uint8_t* p) {
    return _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static Vector add(Vector a, Vector b) { return _mm512_add_epi16(a, b); }
  static Vector subtract(Vector a, Vector b) { return _mm512_sub_epi16(a, b); }
  static Vector all(int x) { return _mm512_set1_epi16(static_cast<short>(x)); }
};

#include "uniq/kernels/winograd.inc"

}  // namespace

void winograd_input_avx512(const WinogradInput& work) { transform_input<Bytes>(work); }
void winograd_wide_input_avx512(const WinogradInput& work) { transform_input<Words>(work); }
void winograd_output_avx512(const WinogradOutput& work) { transform_output(work); }

}  // namespace uniq::kernels
#endif  // x86-64
