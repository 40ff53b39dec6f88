// Winograd's transforms for AVX2: 32 channels of codes, 16 of those that become 16 bits, or 8
// output channels, at once.
#if defined(__x86_64__)
#include <immintrin.h>

#include "uniq/kernels/winograd.h"

namespace uniq::kernels {
namespace {

using Vector = __m256i;
constexpr std::int64_t kLanes = 8;

inline Vector load(const void* p) { return _mm256_loadu_si256(static_cast<const Vector*>(p)); }
inline void store(void* p, Vector v) { _mm256_storeu_si256(static_cast<Vector*>(p), v); }
inline Vector add(Vector a, Vector b) { return _mm256_add_epi32(a, b); }
inline Vector subtract(Vector a, Vector b) { return _mm256_sub_epi32(a, b); }
inline Vector quarter(Vector sum) { return _mm256_srai_epi32(sum, 2); }

struct Bytes {
  static constexpr std::int64_t kChannels = 32;
  static Vector load_codes(const std::uint8_t* p) { return load(p); }
  static Vector add(Vector a, Vector b) { return _mm256_add_epi8(a, b); }
  static Vector subtract(Vector a, Vector b) { return _mm256_sub_epi8(a, b); }
  static Vector all(int x) { return _mm256_set1_epi8(static_cast<char>(x)); }
};

struct Words {
  static constexpr std::int64_t kChannels = 16;
  static Vector load_codes(const std::uint8_t* p) {
    return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static Vector add(Vector a, Vector b) { return _mm256_add_epi16(a, b); }
  static Vector subtract(Vector a, Vector b) { return _mm256_sub_epi16(a, b); }
  static Vector all(int x) { return _mm256_set1_epi16(static_cast<short>(x)); }
};

#include "uniq/kernels/winograd.inc"

}  // namespace

void winograd_input_avx2(const WinogradInput& work) { transform_input<Bytes>(work); }
void winograd_wide_input_avx2(const WinogradInput& work) { transform_input<Words>(work); }
void winograd_output_avx2(const WinogradOutput& work) { transform_output(work); }

}  // namespace uniq::kernels
#endif  // x86-64
