// Winograd's transforms for AVX-512: 64 channels of codes, or 16 output channels, at once.
#if defined(__x86_64__)
#include <immintrin.h>

#include "uniq/kernels/winograd.h"

namespace uniq::kernels {
namespace {

using Vector = __m512i;
constexpr std::int64_t kBytes = 64;

/// A column of a tile after B^T: rows 0 - 2, 1 + 2, 2 - 1, 1 - 3 of the input.
struct Column {
  Vector r0, r1, r2, r3;
};

inline Column load_column(const std::uint8_t* p, std::int64_t row_bytes, __mmask64 mask) {
  const Vector d0 = _mm512_maskz_loadu_epi8(mask, p);
  const Vector d1 = _mm512_maskz_loadu_epi8(mask, p + row_bytes);
  const Vector d2 = _mm512_maskz_loadu_epi8(mask, p + 2 * row_bytes);
  const Vector d3 = _mm512_maskz_loadu_epi8(mask, p + 3 * row_bytes);
  return {_mm512_sub_epi8(d0, d2), _mm512_add_epi8(d1, d2), _mm512_sub_epi8(d2, d1),
          _mm512_sub_epi8(d1, d3)};
}

/// One row of the tile, after B: four places.
inline void store_row(Vector c0, Vector c1, Vector c2, Vector c3, Vector offset, Vector offset_1,
                      __mmask64 mask, std::uint8_t* to, std::int64_t place) {
  const Vector p0 = _mm512_add_epi8(_mm512_sub_epi8(c0, c2), offset);
  const Vector p1 = _mm512_add_epi8(_mm512_add_epi8(c1, c2), offset_1);
  const Vector p2 = _mm512_add_epi8(_mm512_sub_epi8(c2, c1), offset);
  const Vector p3 = _mm512_add_epi8(_mm512_sub_epi8(c1, c3), offset);
  _mm512_mask_storeu_epi8(to, mask, p0);
  _mm512_mask_storeu_epi8(to + place, mask, p1);
  _mm512_mask_storeu_epi8(to + 2 * place, mask, p2);
  _mm512_mask_storeu_epi8(to + 3 * place, mask, p3);
}

/// The columns 0..3 of a place after A: 0 + 1 + 2 and 1 - 2 - 3.
struct Pair {
  Vector first, second;
};
inline Pair transform(Vector m0, Vector m1, Vector m2, Vector m3) {
  return {_mm512_add_epi32(_mm512_add_epi32(m0, m1), m2),
          _mm512_sub_epi32(_mm512_sub_epi32(m1, m2), m3)};
}

inline Vector quarter(Vector sum, const std::int32_t* correction) {
  return _mm512_srai_epi32(_mm512_sub_epi32(sum, _mm512_loadu_si512(correction)), 2);
}

}  // namespace

// Tiles overlap by two columns, which are transformed once.
void winograd_input_avx512(const WinogradInput& work) {
  const Vector offset = _mm512_set1_epi8(static_cast<char>(work.offset));
  for (std::int64_t first = 0; first < work.pixel_bytes; first += kBytes) {
    const std::int64_t left = work.pixel_bytes - first;
    const __mmask64 mask = left >= kBytes ? ~__mmask64{0} : ~__mmask64{0} >> (kBytes - left);
    const std::uint8_t* input = work.input + first;
    Column c0 = load_column(input, work.row_bytes, mask);
    Column c1 = load_column(input + work.pixel_bytes, work.row_bytes, mask);
    std::uint8_t* to = work.to + first;
    for (std::int64_t tile = 0; tile < work.tiles; ++tile) {
      input += 2 * work.pixel_bytes;
      const Column c2 = load_column(input, work.row_bytes, mask);
      const Column c3 = load_column(input + work.pixel_bytes, work.row_bytes, mask);
      const std::int64_t place = work.to_place;
      store_row(c0.r0, c1.r0, c2.r0, c3.r0, offset, offset, mask, to, place);
      store_row(c0.r1, c1.r1, c2.r1, c3.r1, offset, _mm512_setzero_si512(), mask, to + 4 * place,
                place);
      store_row(c0.r2, c1.r2, c2.r2, c3.r2, offset, offset, mask, to + 8 * place, place);
      store_row(c0.r3, c1.r3, c2.r3, c3.r3, offset, offset, mask, to + 12 * place, place);
      c0 = c2;
      c1 = c3;
      to += work.to_tile;
    }
  }
}

void winograd_output_avx512(const WinogradOutput& work) {
  constexpr std::int64_t kLanes = 16;
  for (std::int64_t tile = 0; tile < work.tiles; ++tile) {
    const bool both_columns = 2 * tile + 1 < work.columns;
    for (std::int64_t lane = 0; lane < work.vectors * kLanes; lane += kLanes) {
      const std::int32_t* const m = work.products + tile * work.tile + lane;
      const auto at = [&](std::int64_t place) __attribute__((always_inline)) {
        return _mm512_loadu_si512(m + place * work.place);
      };
      const Pair c0 = transform(at(0), at(4), at(8), at(12));
      const Pair c1 = transform(at(1), at(5), at(9), at(13));
      const Pair c2 = transform(at(2), at(6), at(10), at(14));
      const Pair c3 = transform(at(3), at(7), at(11), at(15));
      const Pair upper = transform(c0.first, c1.first, c2.first, c3.first);
      const std::int32_t* const correction = work.corrections + lane;
      std::int32_t* const to = work.sums + 2 * tile * work.sums_pixel + lane;
      _mm512_storeu_si512(to, quarter(upper.first, correction));
      if (both_columns)
        _mm512_storeu_si512(to + work.sums_pixel,
                            quarter(upper.second, correction + work.correction_place));
      if (!work.both_rows) continue;
      const Pair lower = transform(c0.second, c1.second, c2.second, c3.second);
      _mm512_storeu_si512(to + work.sums_row,
                          quarter(lower.first, correction + 2 * work.correction_place));
      if (both_columns)
        _mm512_storeu_si512(to + work.sums_row + work.sums_pixel,
                            quarter(lower.second, correction + 3 * work.correction_place));
    }
  }
}

}  // namespace uniq::kernels
#endif  // x86-64
