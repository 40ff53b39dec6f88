// Winograd's transforms for AVX2: 32 channels of codes, 16 of those that become 16 bits, or 8
// output channels, at once.
#if defined(__x86_64__)
#include <immintrin.h>

#include "uniq/kernels/winograd.h"

namespace uniq::kernels {
namespace {

using Vector = __m256i;

inline Vector load(const void* p) { return _mm256_loadu_si256(static_cast<const Vector*>(p)); }
inline void store(void* p, Vector v) { _mm256_storeu_si256(static_cast<Vector*>(p), v); }

/// Codes that stay bytes; what becomes of them wraps until the offset is added.
struct Bytes {
  static constexpr std::int64_t kChannels = 32;  ///< of a vector
  static Vector load_codes(const std::uint8_t* p) { return load(p); }
  static Vector add(Vector a, Vector b) { return _mm256_add_epi8(a, b); }
  static Vector subtract(Vector a, Vector b) { return _mm256_sub_epi8(a, b); }
  static Vector all(int x) { return _mm256_set1_epi8(static_cast<char>(x)); }
};

/// Codes that become 16 bits.
struct Words {
  static constexpr std::int64_t kChannels = 16;
  static Vector load_codes(const std::uint8_t* p) {
    return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static Vector add(Vector a, Vector b) { return _mm256_add_epi16(a, b); }
  static Vector subtract(Vector a, Vector b) { return _mm256_sub_epi16(a, b); }
  static Vector all(int x) { return _mm256_set1_epi16(static_cast<short>(x)); }
};

/// A column of a tile after B^T: rows 0 - 2, 1 + 2, 2 - 1, 1 - 3 of the input.
struct Column {
  Vector r0, r1, r2, r3;
};

template <class Code>
inline Column load_column(const std::uint8_t* p, std::int64_t row_bytes) {
  const Vector d0 = Code::load_codes(p);
  const Vector d1 = Code::load_codes(p + row_bytes);
  const Vector d2 = Code::load_codes(p + 2 * row_bytes);
  const Vector d3 = Code::load_codes(p + 3 * row_bytes);
  return {Code::subtract(d0, d2), Code::add(d1, d2), Code::subtract(d2, d1),
          Code::subtract(d1, d3)};
}

/// One row of the tile, after B: four places.
template <class Code>
inline void store_row(Vector c0, Vector c1, Vector c2, Vector c3, Vector offset, Vector offset_1,
                      std::uint8_t* to, std::int64_t place) {
  store(to, Code::add(Code::subtract(c0, c2), offset));
  store(to + place, Code::add(Code::add(c1, c2), offset_1));
  store(to + 2 * place, Code::add(Code::subtract(c2, c1), offset));
  store(to + 3 * place, Code::add(Code::subtract(c1, c3), offset));
}

// Tiles overlap by two columns, which are transformed once.
template <class Code>
void transform_input(const WinogradInput& work) {
  constexpr std::int64_t kBytes = sizeof(Vector);
  const Vector zero = _mm256_setzero_si256();
  const Vector offset = Code::all(work.offset);
  std::uint8_t* first_to = work.to;
  for (std::int64_t first = 0; first < work.pixel_bytes; first += Code::kChannels) {
    const std::uint8_t* input = work.input + first;
    Column c0 = load_column<Code>(input, work.row_bytes);
    Column c1 = load_column<Code>(input + work.pixel_bytes, work.row_bytes);
    std::uint8_t* to = first_to;
    for (std::int64_t tile = 0; tile < work.tiles; ++tile) {
      input += 2 * work.pixel_bytes;
      const Column c2 = load_column<Code>(input, work.row_bytes);
      const Column c3 = load_column<Code>(input + work.pixel_bytes, work.row_bytes);
      const std::int64_t place = work.to_place;
      store_row<Code>(c0.r0, c1.r0, c2.r0, c3.r0, offset, offset, to, place);
      store_row<Code>(c0.r1, c1.r1, c2.r1, c3.r1, offset, zero, to + 4 * place, place);
      store_row<Code>(c0.r2, c1.r2, c2.r2, c3.r2, offset, offset, to + 8 * place, place);
      store_row<Code>(c0.r3, c1.r3, c2.r3, c3.r3, offset, offset, to + 12 * place, place);
      c0 = c2;
      c1 = c3;
      to += work.to_tile;
    }
    first_to += kBytes;
  }
}

/// The columns 0..3 of a place after A: 0 + 1 + 2 and 1 - 2 - 3.
struct Pair {
  Vector first, second;
};
inline Pair transform(Vector m0, Vector m1, Vector m2, Vector m3) {
  return {_mm256_add_epi32(_mm256_add_epi32(m0, m1), m2),
          _mm256_sub_epi32(_mm256_sub_epi32(m1, m2), m3)};
}

inline Vector quarter(Vector sum, const std::int32_t* correction) {
  return _mm256_srai_epi32(_mm256_sub_epi32(sum, load(correction)), 2);
}

}  // namespace

void winograd_input_avx2(const WinogradInput& work) { transform_input<Bytes>(work); }
void winograd_wide_input_avx2(const WinogradInput& work) { transform_input<Words>(work); }

void winograd_output_avx2(const WinogradOutput& work) {
  constexpr std::int64_t kLanes = 8;
  for (std::int64_t tile = 0; tile < work.tiles; ++tile) {
    const bool both_columns = 2 * tile + 1 < work.columns;
    for (std::int64_t lane = 0; lane < work.vectors * kLanes; lane += kLanes) {
      const std::int32_t* const m = work.products + tile * work.tile + lane;
      const auto at = [&](std::int64_t place) __attribute__((always_inline)) {
        return load(m + place * work.place);
      };
      const Pair c0 = transform(at(0), at(4), at(8), at(12));
      const Pair c1 = transform(at(1), at(5), at(9), at(13));
      const Pair c2 = transform(at(2), at(6), at(10), at(14));
      const Pair c3 = transform(at(3), at(7), at(11), at(15));
      const Pair upper = transform(c0.first, c1.first, c2.first, c3.first);
      const std::int32_t* const correction = work.corrections + lane;
      std::int32_t* const to = work.sums + 2 * tile * work.sums_pixel + lane;
      store(to, quarter(upper.first, correction));
      if (both_columns)
        store(to + work.sums_pixel, quarter(upper.second, correction + work.correction_place));
      if (!work.both_rows) continue;
      const Pair lower = transform(c0.second, c1.second, c2.second, c3.second);
      store(to + work.sums_row, quarter(lower.first, correction + 2 * work.correction_place));
      if (both_columns)
        store(to + work.sums_row + work.sums_pixel,
              quarter(lower.second, correction + 3 * work.correction_place));
    }
  }
}

}  // namespace uniq::kernels
#endif  // x86-64
