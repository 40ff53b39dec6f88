// The 3x3 convolution of stride 1 by Winograd's F(2x2, 3x3), exact in integers.
//
// A tile of 2x2 outputs is A^T ((G g G^T) . (B^T d B)) A, with g the 3x3 weights, d the 4x4 codes
// and . the product place by place, summed over the channels (Lavin and Gray,
// arXiv:1509.09308, 4.1):
//        1  0 -1  0           1    0    0             1  1  1  0
//   B^T= 0  1  1  0      G = 1/2  1/2  1/2      A^T =  0  1 -1 -1
//        0 -1  1  0          1/2 -1/2  1/2
//        0  1  0 -1           0    0    1
// With 2G in place of G all numbers are integers and the sums come out four times as large.
//  - Codes of 0..M become -2M..2M, in row 1, column 1 of the tile 0..4M. For VPDPBUSD and
//    VPMADDUBSW, which take unsigned codes, 2M is added to all others: 4M <= 255 where the codes
//    have at most 6 bits. What that adds to a sum, 2M * (sum of the transformed weights), depends
//    on the output channel alone; transformed back it is `corrections`.
//  - Weights w become at most 9 |w|, in row and column 1 and 2: they fit 8 bits where |w| <= 14. So
//    of 4 bits code - 8 is stored, and the rest follows from the sum of the window's codes
//    (finish.h).
//  - VPMADDWD takes both as 16 bits with a sign, which 4M and 9 |w| always fit: no offset.
//  - Sums of 32 bits may wrap on the way; four times the result has to fit.
#include <algorithm>
#include <cstddef>
#include <limits>
#include <type_traits>

#include "uniq/kernels/define_conv_kernel.h"
#include "uniq/kernels/dot.h"
#include "uniq/kernels/finish.h"
#include "uniq/kernels/refusal.h"
#include "uniq/kernels/stored_weights.h"
#include "uniq/kernels/winograd.h"
#include "uniq/kernels/winograd_kinds.h"
#include "uniq/kernels/winograd_tiles.h"

#if defined(__x86_64__)
namespace uniq::kernels {
namespace {

using winograd::Avx2Bytes;
using winograd::Avx2Vnni;
using winograd::Avx2Wide;
using winograd::Avx512Bytes;
using winograd::Avx512Vnni;
using winograd::Avx512Wide;
using winograd::for_each_row;
using winograd::tiles_of;

/// Output channels of a block.
template <class Kind>
constexpr std::int64_t kOuts = Kind::kVectors* Kind::kLanes;
/// Channels of a word.
template <class Kind>
constexpr std::int64_t kWord = 4 / std::int64_t{sizeof(typename Kind::Code)};
/// Transformed codes have a sign.
template <class Kind>
constexpr bool kIsSigned = std::is_signed_v<typename Kind::Code>;

/// The transformed weights of any stored weight: at most so many times as large.
constexpr int kGrowth = 9;

template <class Kind>
StoredWeights stored_of(const CodeConv& conv) {
  constexpr int kLargestWeight = std::numeric_limits<typename Kind::Weight>::max() / kGrowth;
  return stored_weights(conv, -kLargestWeight, kLargestWeight);
}

int largest_weight(const CodeConv& conv, const StoredWeights& stored) {
  return std::max(-stored.of(0, conv), stored.of(max_code(conv.weight_bits), conv));
}

/// The product of 2G with a column or row of three.
void transform_weights(const int* g, std::int64_t step, int* to, std::int64_t to_step) {
  const int a = g[0];
  const int b = g[step];
  const int c = g[2 * step];
  to[0] = 2 * a;
  to[to_step] = a + b + c;
  to[2 * to_step] = a - b + c;
  to[3 * to_step] = 2 * c;
}

/// 2G g (2G)^T: 16 places by row.
void transform_weights(const int (&g)[9], int (&places)[kWinogradPlaces]) {
  int rows[4 * 3];
  for (int column = 0; column < 3; ++column) transform_weights(g + column, 3, rows + column, 3);
  for (std::int64_t row = 0; row < 4; ++row)
    transform_weights(rows + 3 * row, 1, places + 4 * row, 1);
}

/// Weights: [block][place][word][vector][lane][kWord channels]; behind them the corrections,
/// int32 [2x2 outputs][vectors * lanes].
template <class Kind>
struct Sizes {
  std::int64_t words, vectors, outs;
  explicit Sizes(const ConvShape& s)
      : words(divide_up(s.in_channels, kWord<Kind>)),
        vectors(divide_up(s.out_channels, Kind::kLanes)),
        outs(vectors * Kind::kLanes) {}
  std::int64_t vectors_of(std::int64_t block) const {
    return std::min(Kind::kVectors, vectors - block * Kind::kVectors);
  }
  std::int64_t block_bytes(std::int64_t block) const {
    return block * Kind::kVectors * kWinogradPlaces * words * Kind::kWordBytes;
  }
  std::int64_t place_bytes(std::int64_t block) const {
    return words * vectors_of(block) * Kind::kWordBytes;
  }
  std::int64_t weight_bytes() const { return vectors * kWinogradPlaces * words * Kind::kWordBytes; }
};

/// What offset adds to the four outputs of a channel; sums: of its transformed weights, by place.
void correct(const std::int64_t (&sums)[kWinogradPlaces], int offset, std::int64_t outs,
             std::int32_t* to) {
  constexpr int kA[2][4] = {{1, 1, 1, 0}, {0, 1, -1, -1}};
  for (int row = 0; row < 2; ++row) {
    for (int column = 0; column < 2; ++column, to += outs) {
      std::int64_t sum = 0;
      for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j)
          if (i != 1 || j != 1) sum += std::int64_t{kA[row][i]} * kA[column][j] * sums[4 * i + j];
      *to = static_cast<std::int32_t>(offset * sum);
    }
  }
}

template <class Kind>
int offset_of(const CodeConv& conv) {
  return kIsSigned<Kind> ? 0 : 2 * max_code(conv.activation_bits);
}

/// Words whose products 16 bits can sum in any order, as pairs: 0 where one word is too much.
template <class Kind>
std::int64_t steps_of(const CodeConv& conv) {
  const int weight = kGrowth * std::max(1, largest_weight(conv, stored_of<Kind>(conv)));
  return std::numeric_limits<std::int16_t>::max() /
         (2 * weight * 4 * max_code(conv.activation_bits));
}

/// Most tiles whose products are kept at once. Each group reads all weights of a block: many tiles
/// at once read them less often, few leave their products in the nearest cache.
template <class Kind>
constexpr std::int64_t kGroup = 3 * Kind::kPixels;
/// Of a group, in scratch memory: the transformed codes, then the products.
template <class Kind>
struct Scratch {
  std::int64_t tile;   ///< bytes of a tile at a place: whole vectors
  std::int64_t place;  ///< bytes of a place
  std::int64_t products_at, finish_at;
  explicit Scratch(const PreparedConv& prepared)
      : tile(divide_up(prepared.input.pixel_bytes() * std::int64_t{sizeof(typename Kind::Code)},
                       kAlignment) *
             kAlignment),
        place(kGroup<Kind> * tile),
        products_at(kWinogradPlaces * place),
        finish_at(products_at + kWinogradPlaces * kGroup<Kind> * kOuts<Kind> *
                                    std::int64_t{sizeof(std::int32_t)}) {}
};

/// A 3x3 convolution of stride 1 whose sums, four times as large, fit: on the way they may wrap.
template <class Kind>
std::string refuse_sums(const CodeConv& conv) {
  const ConvShape& s = conv.shape;
  if (s.kernel_height != 3 || s.kernel_width != 3)
    return refused("kernel " + size_text(s.kernel_height, s.kernel_width), "3x3");
  if (s.stride_height != 1 || s.stride_width != 1)
    return refused("stride " + size_text(s.stride_height, s.stride_width), "1x1");
  if (s.dilation_height != 1 || s.dilation_width != 1)
    return refused("dilation " + size_text(s.dilation_height, s.dilation_width), "1x1");
  if (s.groups != 1) return refuse_groups(conv, "1");
  const std::int64_t largest =
      std::int64_t{largest_weight(conv, stored_of<Kind>(conv))} * max_code(conv.activation_bits);
  if (4 * std::int64_t{9} * s.in_channels * largest > std::numeric_limits<std::int32_t>::max())
    return refused("sums to " + std::to_string(9 * s.in_channels * largest),
                   "a quarter of what 32 bits hold");
  return refuse_border(conv);
}

/// Transformed weights and codes have to fit a byte.
template <class Kind>
std::string refuse_bytes(const CodeConv& conv) {
  if (conv.activation_bits > 6) return refuse_codes(conv, "6 or fewer");
  if (conv.weight_bits > 4) return refuse_weights(conv, "4 or fewer");
  return refuse_sums<Kind>(conv);
}

template <class Kind>
std::string refuse_pairs(const CodeConv& conv) {
  std::string other = refuse_bytes<Kind>(conv);
  if (!other.empty() || steps_of<Kind>(conv) > 0) return other;
  return refused("weights of " + std::to_string(conv.weight_bits) + " and codes of " +
                     std::to_string(conv.activation_bits) + " bits",
                 "pairs of transformed products that fit 16 bits");
}

template <class Kind>
double cycles_winograd(const CodeConv& conv, const Rates& rates, double rate, double in,
                       double out) {
  const ConvShape& s = conv.shape;
  const std::int64_t tiles = tiles_of(s.out_height) * tiles_of(s.out_width);
  const DotTile tile = {
      .word = kWord<Kind>, .lanes = Kind::kLanes, .outs = kOuts<Kind>, .pixels = Kind::kPixels};
  return dot_cycles(s, tiles * kWinogradPlaces, 1, tile, rate, rates.call) +
         weight_cycles(Sizes<Kind>(s).weight_bytes(), rates) +
         static_cast<double>(tiles * kWinogradPlaces * s.in_channels) / in +
         static_cast<double>(tiles * 4 * Sizes<Kind>(s).outs) / out;
}

CodeLayout layout_of(const CodeConv& conv) {
  CodeLayout layout = plain_layout(conv, CodeLayout::Form::bytes);
  // The last tile of an odd number of outputs reads one row or column more.
  layout.border_height += conv.shape.out_height % 2;
  layout.border_width += conv.shape.out_width % 2;
  return layout;
}

template <class Kind>
PreparedConv prepare_winograd(const CodeConv& conv, const CodeLayout& input,
                              std::span<const std::uint8_t> codes) {
  const ConvShape& s = conv.shape;
  const Sizes<Kind> sizes(s);
  const StoredWeights stored = stored_of<Kind>(conv);
  PreparedConv prepared = {
      .conv = conv,
      .input = input,
      .weights = AlignedBytes(static_cast<std::size_t>(
          sizes.weight_bytes() + 4 * sizes.outs * std::int64_t{sizeof(std::int32_t)})),
      .stored = stored,
      .corrections = make_corrections(conv, codes),
      .lacks_corrections = true,
      .row_step = 2,
      .channel_step = kChannelStep};
  using Weight = typename Kind::Weight;
  auto* const corrections =
      reinterpret_cast<std::int32_t*>(prepared.weights.data() + sizes.weight_bytes());
  for (std::int64_t out = 0; out < s.out_channels; ++out) {
    const std::int64_t block = out / kOuts<Kind>;
    const std::int64_t vector = out % kOuts<Kind> / Kind::kLanes;
    const std::int64_t lane = out % Kind::kLanes;
    std::int64_t sums[kWinogradPlaces] = {};
    for (std::int64_t channel = 0; channel < s.in_channels; ++channel) {
      int g[9];
      for (std::int64_t tap = 0; tap < 9; ++tap)
        g[tap] = stored.of(
            codes[static_cast<std::size_t>((out * 9 + tap) * s.in_channels + channel)], conv);
      int places[kWinogradPlaces];
      transform_weights(g, places);
      for (std::int64_t place = 0; place < kWinogradPlaces; ++place) {
        std::byte* const word =
            prepared.weights.data() + sizes.block_bytes(block) + place * sizes.place_bytes(block) +
            (channel / kWord<Kind> * sizes.vectors_of(block) + vector) * Kind::kWordBytes;
        reinterpret_cast<Weight*>(word)[lane * kWord<Kind> + channel % kWord<Kind>] =
            static_cast<Weight>(places[place]);
        sums[place] += places[place];
      }
    }
    correct(sums, offset_of<Kind>(conv), sizes.outs, corrections + out);
  }
  return prepared;
}

template <class Kind>
std::size_t scratch_of(const PreparedConv& prepared, std::int64_t rows) {
  return static_cast<std::size_t>(Scratch<Kind>(prepared).finish_at) +
         finish_scratch(prepared, rows);
}

/// The products of all places, of some tiles and a block of output channels.
template <class Kind>
void multiply(const PreparedConv& prepared, const Sizes<Kind>& sizes, std::int64_t block,
              const std::uint8_t* codes, const Scratch<Kind>& scratch, std::int64_t tiles,
              std::int32_t* products) {
  DotWork work = {};
  work.rows = 1;
  work.columns = 1;
  work.words = sizes.words;
  work.vectors = sizes.vectors_of(block);
  work.sums_pixel = kOuts<Kind>;
  if constexpr (Kind::kSumsIn16Bits) work.steps = steps_of<Kind>(prepared.conv);
  for (std::int64_t place = 0; place < kWinogradPlaces; ++place) {
    work.weights =
        prepared.weights.data() + sizes.block_bytes(block) + place * sizes.place_bytes(block);
    // While this place's weights are used again and again, those of the next one come near.
    const std::int64_t calls = divide_up(tiles, Kind::kPixels);
    const auto* const next =
        prepared.weights.data() + sizes.block_bytes(block) + (place + 1) * sizes.place_bytes(block);
    work.next_step = std::min(kMostNext, divide_up(sizes.place_bytes(block), calls * sizes.words));
    std::int64_t call = 0;
    for (std::int64_t first = 0; first < tiles; first += work.pixels, ++call) {
      work.next = next + call * work.next_step * sizes.words;
      work.pixels = even_share(tiles - first, Kind::kPixels);
      for (std::int64_t i = 0; i < work.pixels; ++i)
        work.inputs[i] = codes + place * scratch.place + (first + i) * scratch.tile;
      work.sums = products + (place * kGroup<Kind> + first) * kOuts<Kind>;
      Kind::kDot(work);
    }
  }
}

template <class Kind>
SumTerms sums_winograd(const PreparedConv& prepared, const std::uint8_t* input,
                       const ConvPart& part, std::byte* scratch, std::int32_t* sums) {
  const ConvShape& s = prepared.conv.shape;
  const Sizes<Kind> sizes(s);
  const Scratch<Kind> places(prepared);
  const CodeLayout& map = prepared.input;
  const std::uint8_t* const first_window =
      input + map.at(part.first_row - s.padding_height, -s.padding_width);
  auto* const codes = reinterpret_cast<std::uint8_t*>(scratch);
  auto* const products = reinterpret_cast<std::int32_t*>(scratch + places.products_at);
  const auto* const corrections =
      reinterpret_cast<const std::int32_t*>(prepared.weights.data() + sizes.weight_bytes());
  Finish finish(prepared, part, scratch + places.finish_at);
  finish.set_group(loops_of(Kind::kIsa), first_window, s.in_channels);

  const std::int64_t stride = sums_stride(part.channels);
  const std::int64_t in_row = tiles_of(s.out_width);
  const std::int64_t tiles = tiles_of(part.rows) * in_row;
  for (std::int64_t tile = 0, count = 0; tile < tiles; tile += count) {
    const std::int64_t even = even_share(tiles - tile, kGroup<Kind>);
    count = std::min(tiles - tile, divide_up(even, Kind::kPixels) * Kind::kPixels);
    for_each_row(tile, count, in_row,
                 [&](std::int64_t at, std::int64_t row, std::int64_t column, std::int64_t n) {
                   Kind::kInput({.input = first_window + 2 * row * map.row_bytes() +
                                          2 * column * map.pixel_bytes(),
                                 .row_bytes = map.row_bytes(),
                                 .pixel_bytes = map.pixel_bytes(),
                                 .tiles = n,
                                 .offset = offset_of<Kind>(prepared.conv),
                                 .to = codes + at * places.tile,
                                 .to_place = places.place,
                                 .to_tile = places.tile});
                 });
    for (std::int64_t first = part.first_channel; first < part.first_channel + part.channels;
         first += kOuts<Kind>) {
      const std::int64_t block = first / kOuts<Kind>;
      std::int32_t* const to = sums + first - part.first_channel;
      multiply<Kind>(prepared, sizes, block, codes, places, count, products);
      for_each_row(tile, count, in_row,
                   [&](std::int64_t at, std::int64_t row, std::int64_t column, std::int64_t n) {
                     Kind::kOutput({.products = products + at * kOuts<Kind>,
                                    .place = kGroup<Kind> * kOuts<Kind>,
                                    .tile = kOuts<Kind>,
                                    .corrections = corrections + first,
                                    .correction_place = sizes.outs,
                                    .tiles = n,
                                    .vectors = sizes.vectors_of(block),
                                    .columns = s.out_width - 2 * column,
                                    .both_rows = 2 * row + 1 < part.rows,
                                    .sums = to + (2 * row * s.out_width + 2 * column) * stride,
                                    .sums_pixel = stride,
                                    .sums_row = s.out_width * stride});
                   });
    }
  }
  return finish.terms();
}

}  // namespace

#define UNIQ_WINOGRAD(name, Kind, refused_for, rate, in, out)                                   \
  UNIQ_DEFINE_CONV_KERNEL(name, refused_for, cycles_winograd<Kind>(conv, rates, rate, in, out), \
                          layout_of(conv), prepare_winograd<Kind>(conv, input, codes),          \
                          scratch_of<Kind>(prepared, rows),                                     \
                          sums_winograd<Kind>(prepared, input, part, scratch, sums))

UNIQ_WINOGRAD(avx512_vnni_winograd, Avx512Vnni, refuse_bytes<Avx512Vnni>(conv), rates.avx512_vnni,
              rates.winograd512_in, rates.winograd512_out)
UNIQ_WINOGRAD(avx2_vnni_winograd, Avx2Vnni, refuse_bytes<Avx2Vnni>(conv), rates.avx2_vnni,
              rates.winograd256_in, rates.winograd256_out)
UNIQ_WINOGRAD(avx2_winograd, Avx2Bytes, refuse_pairs<Avx2Bytes>(conv),
              pairs_rate(rates.avx2_bytes, steps_of<Avx2Bytes>(conv)), rates.winograd256_in,
              rates.winograd256_out)
UNIQ_WINOGRAD(avx2_winograd_wide, Avx2Wide, refuse_sums<Avx2Wide>(conv), rates.avx2_words,
              rates.winograd256_in / 2, rates.winograd256_out)
UNIQ_WINOGRAD(avx512_winograd, Avx512Bytes, refuse_pairs<Avx512Bytes>(conv),
              pairs_rate(rates.avx512_bytes, steps_of<Avx512Bytes>(conv)), rates.winograd512_in,
              rates.winograd512_out)
UNIQ_WINOGRAD(avx512_winograd_wide, Avx512Wide, refuse_sums<Avx512Wide>(conv), rates.avx512_words,
              rates.winograd512_in / 2, rates.winograd512_out)

#undef UNIQ_WINOGRAD

}  // namespace uniq::kernels
#endif  // x86-64
