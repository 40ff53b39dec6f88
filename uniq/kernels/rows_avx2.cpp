// Transforms of the convolution of stride 2 by Winograd's way along columns, for AVX2.
#if defined(__x86_64__)
#include <immintrin.h>

#include "uniq/kernels/rows.h"

namespace uniq::kernels {
namespace {

using Vector = __m256i;
constexpr std::int64_t kLanes = 8;

inline Vector load(const void* p) { return _mm256_loadu_si256(static_cast<const Vector*>(p)); }
inline void store(void* p, Vector v) { _mm256_storeu_si256(static_cast<Vector*>(p), v); }
inline Vector add(Vector a, Vector b) { return _mm256_add_epi32(a, b); }
inline Vector subtract(Vector a, Vector b) { return _mm256_sub_epi32(a, b); }
/// v * 2^bits
template <int kBits>
inline Vector times(Vector v) {
  return _mm256_slli_epi32(v, kBits);
}

/// kRowsOdd * inverse = 1 modulo 2^32.
constexpr std::uint32_t inverse_of_odd() {
  std::uint32_t inverse = 1;
  // Each step doubles the number of right bits (Newton).
  for (int i = 0; i < 5; ++i) inverse *= 2 - kRowsOdd * inverse;
  return inverse;
}
static_assert(kRowsOdd * inverse_of_odd() == 1);

inline Vector scaled(Vector sum) {
  const Vector inverse = _mm256_set1_epi32(static_cast<int>(inverse_of_odd()));
  return _mm256_srai_epi32(_mm256_mullo_epi32(sum, inverse), kRowsShift);
}

}  // namespace

void rows_input_avx2(const RowsInput& work) {
  constexpr std::int64_t kNumbers = 16;
  for (std::int64_t i = 0; i < work.count; i += kNumbers) {
    Vector sum = _mm256_setzero_si256();
    for (std::int64_t row = 0; row < work.rows; ++row)
      sum = _mm256_add_epi16(sum, _mm256_mullo_epi16(load(work.from + row * work.from_row + i),
                                                     _mm256_set1_epi16(work.coefficients[row])));
    store(work.to + i, sum);
  }
}

// Row r of the outputs is the sum of point^r * product, and that of infinity in the last row.
void rows_output_avx2(const RowsOutput& work) {
  for (std::int64_t column = 0; column < work.columns; ++column) {
    for (std::int64_t lane = 0; lane < work.channels; lane += kLanes) {
      const std::int32_t* const m = work.products + column * work.column + lane;
      const auto at = [&](std::int64_t place) __attribute__((always_inline)) {
        return load(m + place * work.place);
      };
      const Vector sum1 = add(at(1), at(2));
      const Vector difference1 = subtract(at(1), at(2));
      const Vector sum2 = add(at(3), at(4));
      const Vector difference2 = subtract(at(3), at(4));
      const Vector three = at(5);
      std::int32_t* const to = work.sums + column * work.sums_pixel + lane;
      store(to, scaled(add(add(at(0), sum1), add(sum2, three))));
      if (work.rows == 1) continue;
      const Vector three_1 = add(three, times<1>(three));
      store(to + work.sums_row, scaled(add(add(difference1, times<1>(difference2)), three_1)));
      if (work.rows == 2) continue;
      const Vector three_2 = add(three, times<3>(three));
      store(to + 2 * work.sums_row, scaled(add(add(sum1, times<2>(sum2)), three_2)));
      if (work.rows == 3) continue;
      const Vector three_3 = add(three_1, times<3>(three_1));
      store(to + 3 * work.sums_row,
            scaled(add(add(add(difference1, times<3>(difference2)), three_3), at(6))));
    }
  }
}

}  // namespace uniq::kernels
#endif  // x86-64
