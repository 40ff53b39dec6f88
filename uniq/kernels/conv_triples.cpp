// Convolutions of weights and codes of 2 bits by look-ups of three products at once. Three codes
// are six bits; they name a table of 64 bytes, which has for all values of three weights the sum of
// the products, and the three weights' bits of an output channel are the index. What is looked up
// is summed in bytes, for as many steps as fit, and then widened: nine at the worst, and more where
// the weights allow it, which is known when they are laid out.
//
// The codes are stored in planes. A part's are rewritten as the tables' places once, before its
// output channels: 11 triples for each word of 32 channels, in 24 bytes.
#include <algorithm>
#include <bit>
#include <cstddef>
#include <limits>
#include <utility>

#include "uniq/kernels/conv_kernels.h"
#include "uniq/kernels/finish.h"
#include "uniq/kernels/rates.h"
#include "uniq/kernels/refusal.h"
#include "uniq/kernels/stored_weights.h"
#include "uniq/kernels/triples.h"

#if defined(__x86_64__)
namespace uniq::kernels::avx512_vnni_triples {
namespace {

struct Sizes {
  std::int64_t words;      ///< of a pixel
  std::int64_t row_words;  ///< of a row of a window
  std::int64_t block_bytes, blocks;
  explicit Sizes(const ConvShape& s)
      : words(divide_up(s.in_channels, 32)),
        row_words(words * s.kernel_width),
        block_bytes(row_words * s.kernel_height * kWordTriples * kTripleOuts),
        blocks(divide_up(s.out_channels, kTripleOuts)) {}
  /// Of the weights and, behind them, whether each block's bytes have to be widened often.
  std::int64_t bytes() const { return blocks * (block_bytes + 1); }
};

/// Of the map of triples of a part.
struct Map {
  std::int64_t rows, columns, row;
  Map(const ConvShape& s, std::int64_t out_rows) {
    rows = (out_rows - 1) * s.stride_height + (s.kernel_height - 1) * s.dilation_height + 1;
    columns = (s.out_width - 1) * s.stride_width + s.kernel_width;
    row = columns * Sizes(s).words * kWordPlaces;
  }
  std::int64_t bytes() const {
    constexpr std::int64_t kBeyond = 8;
    return divide_up(rows * row * std::int64_t{sizeof(std::uint16_t)} + kBeyond, kAlignment) *
           kAlignment;
  }
};

/// Whether a byte cannot sum some word's products with the largest codes.
bool overflows(const std::uint8_t* weights, std::int64_t words) {
  constexpr int kLargestCode = 3;
  for (std::int64_t word = 0; word < words; ++word, weights += kWordTriples * kTripleOuts)
    for (std::int64_t out = 0; out < kTripleOuts; ++out) {
      int sum = 0;
      for (std::int64_t i = 0; i < kWordTriples; ++i) {
        const auto triple = static_cast<unsigned>(weights[i * kTripleOuts + out]);
        sum += kLargestCode * (std::popcount(triple & 7U) + 2 * std::popcount(triple >> 3U));
      }
      if (sum > std::numeric_limits<std::uint8_t>::max()) return true;
    }
  return false;
}

}  // namespace

std::string refusal(const CodeConv& conv, const CpuInfo& cpu) {
  const ConvShape& s = conv.shape;
  constexpr std::int64_t kMostSum = 65535;
  if (conv.weight_bits != 2) return refuse_weights(conv, "2");
  if (conv.activation_bits != 2) return refuse_codes(conv, "2");
  if (s.groups != 1) return refuse_groups(conv, "1");
  if (s.dilation_width != 1)
    return refused("dilation " + size_text(s.dilation_height, s.dilation_width), "1 in a row");
  const std::int64_t largest = s.taps() * s.in_channels * 9;
  if (largest > kMostSum)
    return refused("sums of codes to " + std::to_string(largest), std::to_string(kMostSum));
  if (!cpu.features.avx512_vbmi) return "the CPU lacks VPERMB";
  return refuse_border(conv);
}

double cycles(const CodeConv& conv, const CpuInfo& cpu) {
  const Rates& rates = rates_of(cpu);
  const bool two = conv.shape.out_channels > kTripleOuts;
  const ConvShape& s = conv.shape;
  return static_cast<double>(s.in_height * s.in_width * s.in_channels) / rates.triple_codes +
         weight_cycles(Sizes(s).bytes(), rates) +
         dot_cycles(s,
                    {.word = 32,
                     .lanes = kTripleOuts,
                     .outs = two ? 2 * kTripleOuts : kTripleOuts,
                     .pixels = two ? kTriplePixels2 : kTriplePixels},
                    two ? rates.triples2 : rates.triples, rates.call);
}

CodeLayout input_layout(const CodeConv& conv) {
  return plain_layout(conv, CodeLayout::Form::planes);
}

PreparedConv prepare(const CodeConv& conv, const CodeLayout& input,
                     std::span<const std::uint8_t> codes) {
  const ConvShape& s = conv.shape;
  const Sizes sizes(s);
  AlignedBytes weights(static_cast<std::size_t>(sizes.bytes()));
  auto* const bytes = weights.as<std::uint8_t>();
  const std::uint8_t* code = codes.data();
  for (std::int64_t out = 0; out < s.out_channels; ++out) {
    std::uint8_t* const block = bytes + out / kTripleOuts * sizes.block_bytes;
    for (std::int64_t tap = 0; tap < s.taps(); ++tap) {
      for (std::int64_t channel = 0; channel < s.in_channels; ++channel, ++code) {
        const std::int64_t triple =
            (tap * sizes.words + channel / 32) * kWordTriples + channel % 32 / 3;
        const auto place = static_cast<int>(channel % 32 % 3);
        block[triple * kTripleOuts + triple_place(out % kTripleOuts)] |=
            static_cast<std::uint8_t>((*code & 1) << place | (*code >> 1) << (place + 3));
      }
    }
  }
  for (std::int64_t block = 0; block < sizes.blocks; ++block)
    bytes[sizes.blocks * sizes.block_bytes + block] =
        overflows(bytes + block * sizes.block_bytes, sizes.row_words * s.kernel_height) ? 1 : 0;
  return {.conv = conv,
          .input = input,
          .weights = std::move(weights),
          .corrections = make_corrections(conv, codes),
          .row_step = 1,
          .channel_step = 2 * kChannelStep};
}

std::size_t scratch_bytes(const PreparedConv& prepared, std::int64_t rows) {
  return static_cast<std::size_t>(Map(prepared.conv.shape, rows).bytes()) +
         finish_scratch(prepared, stored_codes(prepared.conv), rows);
}

namespace {

/// All windows of a part, for one or two blocks of output channels.
void run_blocks(const ConvShape& s, const Map& map, const std::uint16_t* triples,
                std::int64_t pixels, TripleWork work, std::int32_t* sums) {
  const std::int64_t column_step = s.stride_width * Sizes(s).words * kWordPlaces;
  const std::int64_t most = work.blocks == 1 ? kTriplePixels : kTriplePixels2;
  std::int64_t row = 0;
  std::int64_t column = 0;
  for (std::int64_t pixel = 0; pixel < pixels; pixel += work.pixels) {
    work.pixels = even_share(pixels - pixel, most);
    for (std::int64_t i = 0; i < work.pixels; ++i) {
      work.windows[i] = triples + row * s.stride_height * map.row + column * column_step;
      if (++column == s.out_width) column = 0, ++row;
    }
    work.sums = sums + pixel * work.sums_pixel;
    dot_triples_avx512(work);
  }
}

}  // namespace

SumTerms sums(const PreparedConv& prepared, const std::uint8_t* input, const ConvPart& part,
              std::byte* scratch, std::int32_t* sums) {
  const CodeConv& conv = prepared.conv;
  const ConvShape& s = conv.shape;
  const Sizes sizes(s);
  const Map map(s, part.rows);
  const CodeLayout& layout = prepared.input;
  const std::uint8_t* const first_window =
      input + layout.at(part.first_row * s.stride_height - s.padding_height, -s.padding_width);
  auto* const triples = reinterpret_cast<std::uint16_t*>(scratch);
  for (std::int64_t row = 0; row < map.rows; ++row)
    make_triples_avx512({.planes = first_window + row * layout.row_bytes(),
                         .words = map.columns * layout.words(),
                         .to = triples + row * map.row});
  Finish finish(prepared, stored_codes(conv), part, scratch + map.bytes());
  finish.set_group(loops_of(Isa::avx512_vnni), first_window, s.in_channels);

  TripleWork work = {};
  work.rows = s.kernel_height;
  work.row = s.dilation_height * map.row;
  work.words = sizes.row_words;
  work.sums_pixel = sums_stride(part.channels);
  const auto* const bytes = prepared.weights.as<std::uint8_t>();
  const std::uint8_t* const often = bytes + sizes.blocks * sizes.block_bytes;
  const std::int64_t end = part.first_channel + part.channels;
  for (std::int64_t first = part.first_channel; first < end; first += work.blocks * kTripleOuts) {
    const std::int64_t block = first / kTripleOuts;
    work.blocks = end - first > kTripleOuts ? 2 : 1;
    work.often = false;
    for (std::int64_t i = 0; i < work.blocks; ++i) {
      work.weights[i] = bytes + (block + i) * sizes.block_bytes;
      work.often = work.often || often[block + i] != 0;
    }
    work.last_vectors =
        std::min<std::int64_t>(4, divide_up(end - first - (work.blocks - 1) * kTripleOuts, 16));
    run_blocks(s, map, triples, part.rows * s.out_width, work, sums + first - part.first_channel);
  }
  return finish.terms();
}

}  // namespace uniq::kernels::avx512_vnni_triples
#endif  // x86-64
