// Convolutions of weights and codes of 2 bits by look-ups of three products at once. Three codes
// are six bits; they name a table of 64 bytes, which has for all values of three weights the sum of
// the products, and the three weights' bits of an output channel are the index. What is looked up
// is summed in bytes, nine times, and then widened.
//
// The codes are stored in planes. A part's are rewritten as the tables' places once, before its
// output channels: 11 triples for each word of 32 channels, each triple's places in neighbouring
// columns side by side.
#include <algorithm>
#include <cstddef>
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
  std::int64_t triples;  ///< of a pixel
  std::int64_t block_bytes, blocks;
  std::int64_t together;  ///< blocks that are summed at once
  explicit Sizes(const ConvShape& s)
      : triples(divide_up(s.in_channels, 32) * kWordTriples),
        block_bytes(s.taps() * triples * kTripleOuts),
        blocks(divide_up(s.out_channels, kTripleOuts)),
        // A column's products are loaded once for three windows, or else for two blocks.
        together(s.kernel_width == 3 && s.stride_width == 1 ? 1 : 2) {}
};

/// Of the map of triples of a part.
struct Map {
  std::int64_t rows, columns, stored_columns, row;
  Map(const ConvShape& s, std::int64_t out_rows) {
    rows = (out_rows - 1) * s.stride_height + (s.kernel_height - 1) * s.dilation_height + 1;
    columns = (s.out_width - 1) * s.stride_width + s.kernel_width;
    stored_columns = divide_up(columns, kTripleColumns) * kTripleColumns;
    row = stored_columns * Sizes(s).triples;
  }
  std::int64_t bytes() const {
    return divide_up(rows * row * std::int64_t{sizeof(std::uint16_t)}, kAlignment) * kAlignment;
  }
};

}  // namespace

std::string refusal(const CodeConv& conv, const CpuInfo& cpu) {
  const ConvShape& s = conv.shape;
  constexpr std::int64_t kMostSum = 65535;
  if (conv.weight_bits != 2) return refuse_weights(conv, "2");
  if (conv.activation_bits != 2) return refuse_codes(conv, "2");
  if (s.groups != 1) return refuse_groups(conv, "1");
  if (s.dilation_width != 1)
    return refused("dilation " + size_text(s.dilation_height, s.dilation_width), "1 in a row");
  if (s.stride_width > 2)
    return refused("stride " + size_text(s.stride_height, s.stride_width), "1 or 2 in a row");
  const std::int64_t largest = s.taps() * s.in_channels * 9;
  if (largest > kMostSum)
    return refused("sums of codes to " + std::to_string(largest), std::to_string(kMostSum));
  if (!cpu.features.avx512_vbmi) return "the CPU lacks VPERMB";
  return refuse_border(conv);
}

double cycles(const CodeConv& conv, const CpuInfo& cpu) {
  const Rates& rates = rates_of(cpu);
  const ConvShape& s = conv.shape;
  const double rate = s.kernel_width == 3 ? rates.triples : rates.triples1;
  return static_cast<double>(s.in_height * s.in_width * s.in_channels) / rates.triple_codes +
         weight_cycles(Sizes(s).blocks * Sizes(s).block_bytes, rates) +
         dot_cycles(
             s, {.word = 32, .lanes = kTripleOuts, .outs = kTripleOuts, .pixels = kTriplePixels},
             rate, rates.call);
}

CodeLayout input_layout(const CodeConv& conv) {
  return plain_layout(conv, CodeLayout::Form::planes);
}

PreparedConv prepare(const CodeConv& conv, const CodeLayout& input,
                     std::span<const std::uint8_t> codes) {
  const ConvShape& s = conv.shape;
  const Sizes sizes(s);
  AlignedBytes weights(static_cast<std::size_t>(sizes.blocks * sizes.block_bytes));
  const std::uint8_t* code = codes.data();
  // Triples of neighbouring columns are neighbours where windows have three; else those of a tap.
  const bool wide = s.kernel_width == 3;
  const std::int64_t of_column = wide ? 1 : sizes.triples;
  const std::int64_t of_triple = wide ? s.kernel_width : 1;
  for (std::int64_t out = 0; out < s.out_channels; ++out) {
    std::uint8_t* const block = weights.as<std::uint8_t>() + out / kTripleOuts * sizes.block_bytes;
    for (std::int64_t tap = 0; tap < s.taps(); ++tap) {
      const std::int64_t row = tap / s.kernel_width;
      const std::int64_t first =
          row * s.kernel_width * sizes.triples + tap % s.kernel_width * of_column;
      for (std::int64_t channel = 0; channel < s.in_channels; ++channel, ++code) {
        const std::int64_t triple = channel / 32 * kWordTriples + channel % 32 / 3;
        const auto place = static_cast<int>(channel % 32 % 3);
        block[(first + triple * of_triple) * kTripleOuts + triple_place(out % kTripleOuts)] |=
            static_cast<std::uint8_t>((*code & 1) << place | (*code >> 1) << (place + 3));
      }
    }
  }
  return {.conv = conv,
          .input = input,
          .weights = std::move(weights),
          .stored = stored_codes(conv),
          .corrections = make_corrections(conv, codes),
          .lacks_corrections = true,
          .row_step = 1,
          .channel_step = sizes.together * kChannelStep};
}

std::size_t scratch_bytes(const PreparedConv& prepared, std::int64_t rows) {
  return static_cast<std::size_t>(Map(prepared.conv.shape, rows).bytes()) +
         finish_scratch(prepared, rows);
}

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
                         .columns = map.columns,
                         .words = layout.words(),
                         .to = triples + row * map.row,
                         .to_columns = map.stored_columns});
  Finish finish(prepared, part, scratch + map.bytes());
  finish.set_group(loops_of(Isa::avx512_vnni), first_window, s.in_channels);

  TripleWork work = {};
  work.stride = s.stride_width;
  work.rows = s.kernel_height;
  work.columns = s.kernel_width;
  work.triples = sizes.triples;
  work.map_columns = map.stored_columns;
  work.map_row = s.dilation_height * map.row;
  work.sums_pixel = sums_stride(part.channels);
  work.block_bytes = sizes.block_bytes;
  const std::int64_t end = part.first_channel + part.channels;
  for (std::int64_t first = part.first_channel; first < end; first += work.blocks * kTripleOuts) {
    work.weights = prepared.weights.as<std::uint8_t>() + first / kTripleOuts * sizes.block_bytes;
    work.blocks = end - first > kTripleOuts ? sizes.together : 1;
    work.last_vectors =
        std::min<std::int64_t>(4, divide_up(end - first - (work.blocks - 1) * kTripleOuts, 16));
    work.sums = sums + first - part.first_channel;
    for (std::int64_t row = 0; row < part.rows; ++row)
      for (std::int64_t column = 0; column < s.out_width; column += work.pixels) {
        work.pixels = even_share(s.out_width - column, kTriplePixels / work.blocks);
        work.map = triples + row * s.stride_height * map.row + column * s.stride_width;
        dot_triples_avx512(work);
        work.sums += work.pixels * work.sums_pixel;
      }
  }
  return finish.terms();
}

}  // namespace uniq::kernels::avx512_vnni_triples
#endif  // x86-64
