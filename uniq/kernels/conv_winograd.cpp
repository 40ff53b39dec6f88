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
//  - Codes of 0..M become -2M..2M, in row 1, column 1 of the tile 0..4M. For VPDPBUSD, which takes
//    unsigned codes, 2M is added to all others: 4M <= 255 where the codes have at most 6 bits. What
//    that adds to a sum, 2M * (sum of the transformed weights), depends on the output channel
//    alone; transformed back it is `corrections`.
//  - Weights w become at most 9 |w|, in row and column 1 and 2: they fit 8 bits where |w| <= 14. So
//  of
//    4 bits code - 8 is stored, and the rest follows from the sum of the window's codes (finish.h).
#include <algorithm>
#include <cstddef>

#include "uniq/kernels/conv_kernels.h"
#include "uniq/kernels/dot.h"
#include "uniq/kernels/finish.h"
#include "uniq/kernels/rates.h"
#include "uniq/kernels/refusal.h"
#include "uniq/kernels/stored_weights.h"
#include "uniq/kernels/winograd.h"

#if defined(__x86_64__)
namespace uniq::kernels::avx512_vnni_winograd {
namespace {

using Dot = Avx512VnniDot;
constexpr std::int64_t kOuts = Dot::kVectors * Dot::kLanes;
constexpr std::int64_t kWord = 4;
constexpr int kLargestWeight = 127 / 9;

StoredWeights stored_of(const CodeConv& conv) {
  return stored_weights(conv, -kLargestWeight, kLargestWeight);
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

/// The tiles that a row of outputs needs.
std::int64_t tiles_of(std::int64_t outputs) { return divide_up(outputs, 2); }

/// Weights: [block][place][word][vector][lane][4 channels]; behind them the corrections,
/// int32 [2x2 outputs][vectors * lanes].
struct Sizes {
  std::int64_t words, vectors, outs;
  explicit Sizes(const ConvShape& s)
      : words(divide_up(s.in_channels, kWord)),
        vectors(divide_up(s.out_channels, Dot::kLanes)),
        outs(vectors * Dot::kLanes) {}
  std::int64_t vectors_of(std::int64_t block) const {
    return std::min(Dot::kVectors, vectors - block * Dot::kVectors);
  }
  std::int64_t block_bytes(std::int64_t block) const {
    return block * Dot::kVectors * kWinogradPlaces * words * Dot::kWordBytes;
  }
  std::int64_t place_bytes(std::int64_t block) const {
    return words * vectors_of(block) * Dot::kWordBytes;
  }
  std::int64_t weight_bytes() const { return vectors * kWinogradPlaces * words * Dot::kWordBytes; }
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

int offset_of(const CodeConv& conv) { return 2 * max_code(conv.activation_bits); }

/// Most tiles whose products are kept at once. Each group reads all weights of a block: many tiles
/// at once read them less often, few leave their products in the nearest cache.
constexpr std::int64_t kGroup = 3 * Dot::kPixels;
/// Of a group, in scratch memory: the transformed codes, then the products.
struct Scratch {
  std::int64_t place;  ///< bytes of a place
  std::int64_t products_at, finish_at;
  explicit Scratch(const PreparedConv& prepared)
      : place(kGroup * prepared.input.pixel_bytes()),
        products_at(divide_up(kWinogradPlaces * place, kAlignment) * kAlignment),
        finish_at(products_at +
                  kWinogradPlaces * kGroup * kOuts * std::int64_t{sizeof(std::int32_t)}) {}
};

/// Tiles first..first + count - 1 of a part, which lie in rows of `in_row`: body(first tile in the
/// group, its row of tiles, its column, how many) for each row that they have a share of.
template <class Body>
void for_each_row(std::int64_t first, std::int64_t count, std::int64_t in_row, Body body) {
  for (std::int64_t done = 0, next = 0; done < count; done = next) {
    const std::int64_t row = (first + done) / in_row;
    const std::int64_t column = (first + done) % in_row;
    next = std::min(count, done + in_row - column);
    body(done, row, column, next - done);
  }
}

}  // namespace

std::string refusal(const CodeConv& conv, const CpuInfo& /*cpu*/) {
  const ConvShape& s = conv.shape;
  constexpr std::int64_t kMostChannels = 4096;
  if (s.kernel_height != 3 || s.kernel_width != 3)
    return refused("kernel " + size_text(s.kernel_height, s.kernel_width), "3x3");
  if (s.stride_height != 1 || s.stride_width != 1)
    return refused("stride " + size_text(s.stride_height, s.stride_width), "1x1");
  if (s.dilation_height != 1 || s.dilation_width != 1)
    return refused("dilation " + size_text(s.dilation_height, s.dilation_width), "1x1");
  if (s.groups != 1) return refuse_groups(conv, "1");
  if (conv.activation_bits > 6) return refuse_codes(conv, "6 or fewer");
  if (conv.weight_bits > 4) return refuse_weights(conv, "4 or fewer");
  // With up to 4096 channels 9 places of 4096 * 126 * 252 each stay below 2^31.
  if (s.in_channels > kMostChannels)
    return refused(std::to_string(s.in_channels) + " channels",
                   std::to_string(kMostChannels) + " or fewer");
  return refuse_border(conv);
}

double cycles(const CodeConv& conv, const CpuInfo& cpu) {
  const ConvShape& s = conv.shape;
  const Rates& rates = rates_of(cpu);
  const std::int64_t tiles = tiles_of(s.out_height) * tiles_of(s.out_width);
  const DotTile tile = {.word = kWord, .lanes = Dot::kLanes, .outs = kOuts, .pixels = Dot::kPixels};
  return dot_cycles(s, tiles, kWinogradPlaces, tile, rates.avx512_vnni, rates.call) +
         static_cast<double>(tiles * kWinogradPlaces * s.in_channels) / rates.winograd512_in +
         static_cast<double>(tiles * 4 * Sizes(s).outs) / rates.winograd512_out;
}

CodeLayout input_layout(const CodeConv& conv) {
  CodeLayout layout = plain_layout(conv, CodeLayout::Form::bytes);
  // The last tile of an odd number of outputs reads one row or column more.
  layout.border_height += conv.shape.out_height % 2;
  layout.border_width += conv.shape.out_width % 2;
  return layout;
}

PreparedConv prepare(const CodeConv& conv, const CodeLayout& input,
                     std::span<const std::uint8_t> codes) {
  const ConvShape& s = conv.shape;
  const Sizes sizes(s);
  const StoredWeights stored = stored_of(conv);
  PreparedConv prepared = {
      .conv = conv,
      .input = input,
      .weights = AlignedBytes(static_cast<std::size_t>(
          sizes.weight_bytes() + 4 * sizes.outs * std::int64_t{sizeof(std::int32_t)})),
      .corrections = make_corrections(conv, codes),
      .row_step = 2,
      .channel_step = kChannelStep};
  auto* const weights = prepared.weights.as<std::int8_t>();
  auto* const corrections =
      reinterpret_cast<std::int32_t*>(prepared.weights.data() + sizes.weight_bytes());
  for (std::int64_t out = 0; out < s.out_channels; ++out) {
    const std::int64_t block = out / kOuts;
    const std::int64_t vector = out % kOuts / Dot::kLanes;
    const std::int64_t lane = out % Dot::kLanes;
    std::int64_t sums[kWinogradPlaces] = {};
    for (std::int64_t channel = 0; channel < s.in_channels; ++channel) {
      int g[9];
      for (std::int64_t tap = 0; tap < 9; ++tap)
        g[tap] = stored.of(
            codes[static_cast<std::size_t>((out * 9 + tap) * s.in_channels + channel)], conv);
      int places[kWinogradPlaces];
      transform_weights(g, places);
      for (std::int64_t place = 0; place < kWinogradPlaces; ++place) {
        const std::int64_t word =
            sizes.block_bytes(block) + place * sizes.place_bytes(block) +
            (channel / kWord * sizes.vectors_of(block) + vector) * Dot::kWordBytes;
        weights[word + lane * kWord + channel % kWord] = static_cast<std::int8_t>(places[place]);
        sums[place] += places[place];
      }
    }
    correct(sums, offset_of(conv), sizes.outs, corrections + out);
  }
  return prepared;
}

std::size_t scratch_bytes(const PreparedConv& prepared, std::int64_t rows) {
  return static_cast<std::size_t>(Scratch(prepared).finish_at) +
         finish_scratch(prepared, stored_of(prepared.conv), rows);
}

namespace {

/// The products of all places, of some tiles and a block of output channels.
void multiply(const PreparedConv& prepared, const Sizes& sizes, std::int64_t block,
              const std::uint8_t* codes, std::int64_t place_bytes, std::int64_t tiles,
              std::int32_t* products) {
  const std::int64_t pixel = prepared.input.pixel_bytes();
  DotWork work = {};
  work.rows = 1;
  work.columns = 1;
  work.words = sizes.words;
  work.vectors = sizes.vectors_of(block);
  work.sums_pixel = kOuts;
  for (std::int64_t place = 0; place < kWinogradPlaces; ++place) {
    work.weights =
        prepared.weights.data() + sizes.block_bytes(block) + place * sizes.place_bytes(block);
    for (std::int64_t first = 0; first < tiles; first += work.pixels) {
      work.pixels = even_share(tiles - first, Dot::kPixels);
      for (std::int64_t i = 0; i < work.pixels; ++i)
        work.inputs[i] = codes + place * place_bytes + (first + i) * pixel;
      work.sums = products + (place * kGroup + first) * kOuts;
      dot_avx512_vnni(work);
    }
  }
}

}  // namespace

SumTerms sums(const PreparedConv& prepared, const std::uint8_t* input, const ConvPart& part,
              std::byte* scratch, std::int32_t* sums) {
  const ConvShape& s = prepared.conv.shape;
  const Sizes sizes(s);
  const Scratch places(prepared);
  const CodeLayout& map = prepared.input;
  const std::uint8_t* const first_window =
      input + map.at(part.first_row - s.padding_height, -s.padding_width);
  auto* const codes = reinterpret_cast<std::uint8_t*>(scratch);
  auto* const products = reinterpret_cast<std::int32_t*>(scratch + places.products_at);
  const auto* const corrections =
      reinterpret_cast<const std::int32_t*>(prepared.weights.data() + sizes.weight_bytes());
  Finish finish(prepared, stored_of(prepared.conv), part, scratch + places.finish_at);
  finish.set_group(loops_of(Isa::avx512_vnni), first_window, s.in_channels);

  const std::int64_t stride = sums_stride(part.channels);
  const std::int64_t in_row = tiles_of(s.out_width);
  const std::int64_t tiles = tiles_of(part.rows) * in_row;
  for (std::int64_t tile = 0, count = 0; tile < tiles; tile += count) {
    count = even_share(tiles - tile, kGroup);
    for_each_row(tile, count, in_row,
                 [&](std::int64_t at, std::int64_t row, std::int64_t column, std::int64_t n) {
                   winograd_input_avx512({.input = first_window + 2 * row * map.row_bytes() +
                                                   2 * column * map.pixel_bytes(),
                                          .row_bytes = map.row_bytes(),
                                          .pixel_bytes = map.pixel_bytes(),
                                          .tiles = n,
                                          .offset = offset_of(prepared.conv),
                                          .to = codes + at * map.pixel_bytes(),
                                          .to_place = places.place});
                 });
    for (std::int64_t first = part.first_channel; first < part.first_channel + part.channels;
         first += kOuts) {
      const std::int64_t block = first / kOuts;
      std::int32_t* const to = sums + first - part.first_channel;
      multiply(prepared, sizes, block, codes, places.place, count, products);
      for_each_row(
          tile, count, in_row,
          [&](std::int64_t at, std::int64_t row, std::int64_t column, std::int64_t n) {
            winograd_output_avx512({.products = products + at * kOuts,
                                    .place = kGroup * kOuts,
                                    .tile = kOuts,
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

}  // namespace uniq::kernels::avx512_vnni_winograd
#endif  // x86-64
