// Convolutions of stride 2 in height by Winograd's way along columns, exact in integers: the wide
// windows of a network's first layer.
//
// The rows of a window are of two phases, those with even and those with odd numbers; of each phase
// the rows of neighbouring outputs are neighbours. Of r rows and 4 outputs one below the other,
// with n = r + 3,
//   y = A^T ((G g) . (B^T d)),   g: r weights, d: n codes, y: 4 sums,
// is exact where (Toom and Cook; Blahut, "Fast Algorithms for Signal Processing", 5.2), with n - 1
// points a_k, M_k(x) the product of all x - a_l but l = k, and M(x) that of all,
//   A^T[i][k] = a_k^i,   G[k][j] = a_k^j / M_k(a_k),   B^T[k] = the coefficients of M_k,
// and for the last k, the point infinity, 1 in the last row of A^T and the last column of G, and
// the coefficients of M. So there are n products instead of 4 r, each of a row of the window, whose
// columns and channels are summed as ever. Both phases have the same points, as far as they go, so
// what belongs to a point is one dot product. 7 rows need 7 + 6 rows of products instead of 28.
//
// With the points 0, 1, -1, 2, -2, 3 all M_k(a_k) divide 120: with 120 G everything is an integer
// and the sums come out 120 times as large. Codes grow at most 40 times, weights at most 120 times:
// of 255 they fit 16 bits. Sums of 32 bits may wrap on the way: modulo 2^32 the odd factor 15 has
// an inverse, and eight times the result has to fit.
#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <string>

#include "uniq/kernels/copy.h"
#include "uniq/kernels/define_conv_kernel.h"
#include "uniq/kernels/dot_kinds.h"
#include "uniq/kernels/finish.h"
#include "uniq/kernels/refusal.h"
#include "uniq/kernels/rows.h"
#include "uniq/kernels/stored_weights.h"

#if defined(__x86_64__)
namespace uniq::kernels {
namespace {

using dots::Avx2Wide;
using dots::Avx512Wide;

/// Output channels of a block.
template <class Kind>
constexpr std::int64_t kOuts = Kind::kVectors* Kind::kLanes;
constexpr std::int64_t kWord = 2;  ///< codes
constexpr std::int64_t kStride = 2;
constexpr std::array<std::int64_t, kRowsPlaces - 1> kPoints = {0, 1, -1, 2, -2, 3};
constexpr std::int64_t kInfinity = kRowsPlaces - 1;
constexpr std::int64_t kScale = kRowsOdd << kRowsShift;
constexpr std::int64_t kMostTaps = kRowsPlaces - kRowsOut + 1;  ///< of a phase

/// The rows of a window with even numbers, or with odd ones.
struct Phase {
  std::int64_t taps;
  std::int64_t rows() const { return taps + kRowsOut - 1; }
  std::int64_t points() const { return rows() - 1; }
  bool has(std::int64_t place) const { return place == kInfinity || place < points(); }

  /// The product of point k's distances from the others.
  std::int64_t distances(std::int64_t k) const {
    std::int64_t product = 1;
    for (std::int64_t l = 0; l < points(); ++l)
      if (l != k)
        product *= kPoints[static_cast<std::size_t>(k)] - kPoints[static_cast<std::size_t>(l)];
    return product;
  }

  /// A row of B^T: the coefficients of the product of x - point, for all points but `place`.
  std::array<std::int16_t, kRowsPlaces> of_codes(std::int64_t place) const {
    std::array<std::int16_t, kRowsPlaces> polynomial = {1};
    for (std::int64_t l = 0; l < points(); ++l) {
      if (l == place) continue;
      const std::int64_t point = kPoints[static_cast<std::size_t>(l)];
      for (std::size_t i = kRowsPlaces - 1; i > 0; --i)
        polynomial[i] = static_cast<std::int16_t>(polynomial[i - 1] - point * polynomial[i]);
      polynomial[0] = static_cast<std::int16_t>(-point * polynomial[0]);
    }
    return polynomial;
  }

  /// A row of 120 G.
  std::array<std::int64_t, kMostTaps> of_weights(std::int64_t place) const {
    std::array<std::int64_t, kMostTaps> row = {};
    if (place == kInfinity) {
      row[static_cast<std::size_t>(taps) - 1] = kScale;
      return row;
    }
    std::int64_t power = kScale / distances(place);
    for (std::int64_t j = 0; j < taps; ++j, power *= kPoints[static_cast<std::size_t>(place)])
      row[static_cast<std::size_t>(j)] = power;
    return row;
  }
};

/// How weights lie: [block][place][phase that has the place][word][vector][lane][2 codes].
template <class Kind>
struct Sizes {
  Phase phases[2];  ///< even, odd; the even one has all points of the odd one
  std::int64_t words;
  std::int64_t vectors;

  explicit Sizes(const ConvShape& s)
      : phases{{divide_up(s.kernel_height, kStride)}, {s.kernel_height / kStride}},
        words(divide_up(s.kernel_width * s.in_channels, kWord)),
        vectors(divide_up(s.out_channels, Kind::kLanes)) {}

  /// Places that are used: some points, and infinity.
  std::int64_t points() const { return phases[0].points(); }
  std::int64_t phases_of(std::int64_t place) const { return phases[1].has(place) ? 2 : 1; }
  std::int64_t vectors_of(std::int64_t block) const {
    return std::min(Kind::kVectors, vectors - block * Kind::kVectors);
  }
  std::int64_t row_bytes(std::int64_t block) const {
    return words * vectors_of(block) * Kind::kWordBytes;
  }
  /// Of a place, of the first phase.
  std::int64_t at(std::int64_t block, std::int64_t place) const {
    std::int64_t rows = 0;
    for (std::int64_t before = 0; before < place; ++before)
      if (phases[0].has(before)) rows += phases_of(before);
    return block * Kind::kVectors * all_rows() * words * Kind::kWordBytes + rows * row_bytes(block);
  }
  std::int64_t all_rows() const { return phases[0].rows() + phases[1].rows(); }
  std::int64_t bytes() const { return vectors * all_rows() * words * Kind::kWordBytes; }
};

StoredWeights stored_of(const CodeConv& conv) {
  constexpr int kLargest = 255;
  return stored_weights(conv, -kLargest, kLargest);
}

/// Columns of outputs whose products are kept at once.
template <class Kind>
constexpr std::int64_t kGroup = 8 * Kind::kPixels;

/// In scratch memory: the codes of the rows of one phase, of both phases the transformed ones, and
/// the products.
template <class Kind>
struct Scratch {
  std::int64_t row;  ///< numbers of 16 bits
  std::int64_t transformed_at, products_at, finish_at;

  explicit Scratch(const ConvShape& s)
      : row(divide_up(covered_columns(s) * s.in_channels + kCopyBeyond / kNumber,
                      kAlignment / kNumber) *
            (kAlignment / kNumber)),
        transformed_at(kRowsPlaces * row * kNumber),
        products_at(transformed_at + 2 * kRowsPlaces * row * kNumber),
        finish_at(products_at +
                  kRowsPlaces * kGroup<Kind> * kOuts<Kind> * std::int64_t{sizeof(std::int32_t)}) {}
  static constexpr std::int64_t kNumber = sizeof(std::int16_t);
};

/// Transforms the rows of four rows of outputs: [place][phase][row].
template <class Kind>
void transform(const PreparedConv& prepared, const Sizes<Kind>& sizes,
               const std::uint8_t* first_window, std::int64_t out_rows, const Scratch<Kind>& at,
               std::int16_t* codes, std::int16_t* transformed) {
  const ConvShape& s = prepared.conv.shape;
  const CodeLayout& map = prepared.input;
  const std::int64_t in_rows = covered_rows(s, out_rows);
  for (std::int64_t odd = 0; odd < 2; ++odd) {
    const Phase& phase = sizes.phases[odd];
    // Rows that no stored output needs may lie outside the map: any codes do.
    const std::int64_t rows = std::min(phase.rows(), divide_up(in_rows - odd, kStride));
    for (std::int64_t row = 0; row < rows; ++row)
      copy_wide_avx2({.input = first_window + (kStride * row + odd) * map.row_bytes(),
                      .row_bytes = map.row_bytes(),
                      .pixel_bytes = map.pixel_bytes(),
                      .channels = s.in_channels,
                      .rows = 1,
                      .columns = covered_columns(s),
                      .to = reinterpret_cast<std::uint8_t*>(codes + row * at.row)});
    std::fill(codes + rows * at.row, codes + phase.rows() * at.row, std::int16_t{0});
    for (std::int64_t place = 0; place < kRowsPlaces; ++place) {
      if (!phase.has(place)) continue;
      const auto coefficients = phase.of_codes(place);
      rows_input_avx2({.from = codes,
                       .from_row = at.row,
                       .coefficients = coefficients.data(),
                       .rows = phase.rows(),
                       .count = at.row,
                       .to = transformed + (2 * place + odd) * at.row});
    }
  }
}

std::string refuse_rows(const CodeConv& conv) {
  const ConvShape& s = conv.shape;
  constexpr std::int64_t kLeast = 5;  ///< of fewer rows too little is saved
  if (s.kernel_height < kLeast || s.kernel_height > kStride * kMostTaps)
    return refused(std::to_string(s.kernel_height) + " kernel rows", "5 to 8");
  if (s.stride_height != kStride)
    return refused("stride " + std::to_string(s.stride_height) + " of rows", "2");
  if (s.dilation_height != 1 || s.dilation_width != 1)
    return refused("dilation " + size_text(s.dilation_height, s.dilation_width), "1x1");
  if (s.groups != 1) return refuse_groups(conv, "1");
  const StoredWeights stored = stored_of(conv);
  const std::int64_t largest =
      std::int64_t{std::max(-stored.of(0, conv), stored.of(max_code(conv.weight_bits), conv))} *
      s.taps() * s.in_channels * max_code(conv.activation_bits);
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max() >> kRowsShift;
  if (largest > kMost)
    return refused("sums to " + std::to_string(largest), std::to_string(kMost) + " or less");
  return refuse_border(conv);
}

template <class Kind>
double cycles_rows(const CodeConv& conv, double rate, double out, double call) {
  const ConvShape& s = conv.shape;
  const Sizes<Kind> sizes(s);
  const auto columns = static_cast<double>(divide_up(s.out_height, kRowsOut) * s.out_width);
  const auto outs = static_cast<double>(sizes.vectors * Kind::kLanes);
  return columns * outs *
         (static_cast<double>(sizes.all_rows() * sizes.words * kWord) / rate +
          static_cast<double>(kRowsOut) / out +
          static_cast<double>(sizes.points() + 1) * call /
              static_cast<double>(Kind::kPixels * kOuts<Kind>));
}

CodeLayout layout_of(const CodeConv& conv) { return plain_layout(conv, CodeLayout::Form::bytes); }

template <class Kind>
PreparedConv prepare_rows(const CodeConv& conv, const CodeLayout& input,
                          std::span<const std::uint8_t> codes) {
  const ConvShape& s = conv.shape;
  const Sizes<Kind> sizes(s);
  const StoredWeights stored = stored_of(conv);
  PreparedConv prepared = {.conv = conv,
                           .input = input,
                           .weights = AlignedBytes(static_cast<std::size_t>(sizes.bytes())),
                           .stored = stored,
                           .corrections = make_corrections(conv, codes),
                           .lacks_corrections = true,
                           .row_step = kRowsOut,
                           .channel_step = kChannelStep};
  const std::int64_t in_row = s.kernel_width * s.in_channels;
  for (std::int64_t out = 0; out < s.out_channels; ++out) {
    const std::int64_t block = out / kOuts<Kind>;
    for (std::int64_t place = 0; place < kRowsPlaces; ++place) {
      if (!sizes.phases[0].has(place)) continue;
      for (std::int64_t odd = 0; odd < sizes.phases_of(place); ++odd) {
        const Phase& phase = sizes.phases[odd];
        const auto row = phase.of_weights(place);
        std::byte* const to =
            prepared.weights.data() + sizes.at(block, place) + odd * sizes.row_bytes(block);
        for (std::int64_t i = 0; i < in_row; ++i) {
          std::int64_t sum = 0;
          for (std::int64_t tap = 0; tap < phase.taps; ++tap) {
            const std::int64_t kernel_row = out * s.kernel_height + kStride * tap + odd;
            sum += row[static_cast<std::size_t>(tap)] *
                   stored.of(codes[static_cast<std::size_t>(kernel_row * in_row + i)], conv);
          }
          const std::int64_t word =
              i / kWord * sizes.vectors_of(block) + out % kOuts<Kind> / Kind::kLanes;
          reinterpret_cast<std::int16_t*>(
              to + word * Kind::kWordBytes)[out % Kind::kLanes * kWord + i % kWord] =
              static_cast<std::int16_t>(sum);
        }
      }
    }
  }
  return prepared;
}

template <class Kind>
std::size_t scratch_of(const PreparedConv& prepared, std::int64_t rows) {
  return static_cast<std::size_t>(Scratch<Kind>(prepared.conv.shape).finish_at) +
         finish_scratch(prepared, rows);
}

/// The products of all places, of columns first.. and a block of output channels.
template <class Kind>
void multiply(const PreparedConv& prepared, const Sizes<Kind>& sizes, std::int64_t block,
              const std::int16_t* transformed, const Scratch<Kind>& at, std::int64_t first,
              std::int64_t columns, std::int32_t* products) {
  const ConvShape& s = prepared.conv.shape;
  DotWork work = {};
  work.row_bytes = at.row * Scratch<Kind>::kNumber;
  work.columns = 1;
  work.words = sizes.words;
  work.vectors = sizes.vectors_of(block);
  work.sums_pixel = kOuts<Kind>;
  for (std::int64_t place = 0; place < kRowsPlaces; ++place) {
    if (!sizes.phases[0].has(place)) continue;
    work.rows = sizes.phases_of(place);
    work.weights = prepared.weights.data() + sizes.at(block, place);
    work.next = work.weights;  // few weights, which stay near
    const std::int16_t* const row = transformed + 2 * place * at.row;
    for (std::int64_t column = 0; column < columns; column += work.pixels) {
      work.pixels = even_share(columns - column, Kind::kPixels);
      for (std::int64_t i = 0; i < work.pixels; ++i)
        work.inputs[i] = reinterpret_cast<const std::uint8_t*>(
            row + (first + column + i) * s.stride_width * s.in_channels);
      work.sums = products + (place * kGroup<Kind> + column) * kOuts<Kind>;
      Kind::kDot(work);
    }
  }
}

template <class Kind>
SumTerms sums_rows(const PreparedConv& prepared, const std::uint8_t* input, const ConvPart& part,
                   std::byte* scratch, std::int32_t* sums) {
  const ConvShape& s = prepared.conv.shape;
  const CodeLayout& map = prepared.input;
  const Sizes<Kind> sizes(s);
  const Scratch<Kind> at(s);
  const std::uint8_t* const first_window =
      input + map.at(part.first_row * kStride - s.padding_height, -s.padding_width);
  auto* const codes = reinterpret_cast<std::int16_t*>(scratch);
  auto* const transformed = reinterpret_cast<std::int16_t*>(scratch + at.transformed_at);
  auto* const products = reinterpret_cast<std::int32_t*>(scratch + at.products_at);
  Finish finish(prepared, part, scratch + at.finish_at);
  finish.set_group(loops_of(Kind::kIsa), first_window, s.in_channels);
  // Points that are not used.
  std::fill(products + sizes.points() * kGroup<Kind> * kOuts<Kind>,
            products + kInfinity * kGroup<Kind> * kOuts<Kind>, 0);

  const std::int64_t stride = sums_stride(part.channels);
  for (std::int64_t row = 0; row < part.rows; row += kRowsOut) {
    const std::int64_t rows = std::min(kRowsOut, part.rows - row);
    transform(prepared, sizes, first_window + row * kStride * map.row_bytes(), rows, at, codes,
              transformed);
    for (std::int64_t out = part.first_channel; out < part.first_channel + part.channels;
         out += kOuts<Kind>) {
      const std::int64_t block = out / kOuts<Kind>;
      for (std::int64_t first = 0, count = 0; first < s.out_width; first += count) {
        count = std::min(kGroup<Kind>, s.out_width - first);
        multiply(prepared, sizes, block, transformed, at, first, count, products);
        rows_output_avx2(
            {.products = products,
             .place = kGroup<Kind> * kOuts<Kind>,
             .column = kOuts<Kind>,
             .columns = count,
             .channels = sizes.vectors_of(block) * Kind::kLanes,
             .rows = rows,
             .sums = sums + (row * s.out_width + first) * stride + out - part.first_channel,
             .sums_pixel = stride,
             .sums_row = s.out_width * stride});
      }
    }
  }
  return finish.terms();
}

}  // namespace

#define UNIQ_ROWS(name, Kind, rate, out)                                                           \
  UNIQ_DEFINE_CONV_KERNEL(name, refuse_rows(conv), cycles_rows<Kind>(conv, rate, out, rates.call), \
                          layout_of(conv), prepare_rows<Kind>(conv, input, codes),                 \
                          scratch_of<Kind>(prepared, rows),                                        \
                          sums_rows<Kind>(prepared, input, part, scratch, sums))

UNIQ_ROWS(avx2_rows, Avx2Wide, rates.avx2_words, rates.winograd256_out)
UNIQ_ROWS(avx512_rows, Avx512Wide, rates.avx512_words, rates.winograd256_out)

#undef UNIQ_ROWS

}  // namespace uniq::kernels
#endif  // x86-64
