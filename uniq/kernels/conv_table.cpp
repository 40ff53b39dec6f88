// Convolutions of weights and codes of 1 or 2 bits by table look-ups. Of each four channels of a
// pixel a table of 16 bytes has the sums of all subsets of their codes; the four weights' bits of
// an output channel are the index. What is looked up is summed in bytes, for as many steps as fit,
// and then widened. Weights of 2 bits are two planes, the second of which counts double.
//
// Tables are made for the part's pixels once, before its output channels: 4 bytes for each code.
#include <algorithm>
#include <cstddef>
#include <utility>

#include "uniq/kernels/define_conv_kernel.h"
#include "uniq/kernels/finish.h"
#include "uniq/kernels/refusal.h"
#include "uniq/kernels/stored_weights.h"
#include "uniq/kernels/table.h"

#if defined(__x86_64__) || defined(__aarch64__)
namespace uniq::kernels {
namespace {

#if defined(__x86_64__)
constexpr Isa kIsa = Isa::avx2;
constexpr auto kMakeTables = make_tables_avx2;
constexpr auto kDotTables = dot_tables_avx2;
#else
constexpr Isa kIsa = Isa::neon;
constexpr auto kMakeTables = make_tables_neon;
constexpr auto kDotTables = dot_tables_neon;
#endif

/// Octets of a pixel. Windows side by side are read in turns: with pixels a multiple of 2 kB apart
/// they would be in each other's way in the nearest cache, so an empty octet keeps them off it.
std::int64_t octets_of(std::int64_t channels) {
  constexpr std::int64_t kWay = 2048;
  const std::int64_t octets = divide_up(channels, 8);
  return octets * kOctetTables % kWay == 0 ? octets + 1 : octets;
}

struct Sizes {
  std::int64_t octets;  ///< of a pixel
  std::int64_t vector_bytes, block_bytes;
  explicit Sizes(const CodeConv& conv)
      : octets(octets_of(conv.shape.in_channels)),
        vector_bytes(kTableOuts * conv.weight_bits),
        block_bytes(conv.shape.taps() * octets * vector_bytes) {}
};

/// Of the table map of a part.
struct Map {
  /// Pixels from one to the next that gets tables: no others are read where windows have one each.
  std::int64_t row_step = 1, column_step = 1;
  std::int64_t rows, columns, row_bytes;
  Map(const PreparedConv& prepared, std::int64_t out_rows)
      : rows(covered_rows(prepared.conv.shape, out_rows)),
        columns(covered_columns(prepared.conv.shape)) {
    const ConvShape& s = prepared.conv.shape;
    if (s.taps() == 1) {
      rows = out_rows;
      columns = s.out_width;
      row_step = s.stride_height;
      column_step = s.stride_width;
    }
    row_bytes = columns * Sizes(prepared.conv).octets * kOctetTables;
  }
  std::int64_t bytes() const { return divide_up(rows * row_bytes, kAlignment) * kAlignment; }
};

void make_map(const PreparedConv& prepared, const std::uint8_t* first_window, const Map& map,
              std::uint8_t* to) {
  const std::int64_t octets = Sizes(prepared.conv).octets;
  for (std::int64_t row = 0; row < map.rows; ++row) {
    const std::uint8_t* codes = first_window + row * map.row_step * prepared.input.row_bytes();
    for (std::int64_t column = 0; column < map.columns; ++column) {
      kMakeTables({.codes = codes, .octets = octets, .to = to});
      codes += map.column_step * prepared.input.pixel_bytes();
      to += octets * kOctetTables;
    }
  }
}

std::string refuse_table(const CodeConv& conv, int weight_bits) {
  const ConvShape& s = conv.shape;
  constexpr std::int64_t kMostSum = 65535;
  if (conv.weight_bits != weight_bits) return refuse_weights(conv, std::to_string(weight_bits));
  if (conv.activation_bits > 2) return refuse_codes(conv, "1 or 2");
  if (s.groups != 1) return refuse_groups(conv, "1");
  if (s.dilation_width != 1)
    return refused("dilation " + size_text(s.dilation_height, s.dilation_width), "1 in a row");
  const std::int64_t largest = s.taps() * s.in_channels * max_code(conv.activation_bits);
  if (largest > kMostSum)
    return refused("sums of codes to " + std::to_string(largest), std::to_string(kMostSum));
  return refuse_border(conv);
}

/// Tables are made for the part's pixels once, for all output channels.
double cycles_table(const CodeConv& conv, const Rates& rates) {
  const ConvShape& s = conv.shape;
  const bool one = conv.weight_bits == 1;
  const std::int64_t tabled = s.taps() == 1 ? s.out_height * s.out_width : s.in_height * s.in_width;
  return static_cast<double>(tabled * Sizes(conv).octets * 8) / rates.table_codes +
         weight_cycles(divide_up(s.out_channels, kTableOuts) * Sizes(conv).block_bytes, rates) +
         dot_cycles(s,
                    {.word = 8,
                     .lanes = kTableOuts / 2,
                     .outs = kTableOuts,
                     .pixels = one ? kTablePixels : kTablePixels2},
                    one ? rates.table : rates.table2, rates.call);
}

CodeLayout layout_of(const CodeConv& conv) { return plain_layout(conv, CodeLayout::Form::bytes); }

PreparedConv prepare_table(const CodeConv& conv, const CodeLayout& input,
                           std::span<const std::uint8_t> codes) {
  const ConvShape& s = conv.shape;
  const Sizes sizes(conv);
  AlignedBytes weights(
      static_cast<std::size_t>(divide_up(s.out_channels, kTableOuts) * sizes.block_bytes));
  auto* const bytes = weights.as<std::uint8_t>();
  const std::uint8_t* code = codes.data();
  for (std::int64_t out = 0; out < s.out_channels; ++out) {
    std::uint8_t* const block = bytes + out / kTableOuts * sizes.block_bytes;
    for (std::int64_t tap = 0; tap < s.taps(); ++tap) {
      for (std::int64_t channel = 0; channel < s.in_channels; ++channel, ++code) {
        std::uint8_t* const octet = block +
                                    (tap * sizes.octets + channel / 8) * sizes.vector_bytes +
                                    table_place(out % kTableOuts);
        const auto second = static_cast<std::int64_t>(channel % 8 / 4);
        const int bit = static_cast<int>(channel % 4);
        if (conv.weight_bits == 1)
          *octet |= static_cast<std::uint8_t>(*code << (bit + 4 * second));
        else
          octet[second * kTableOuts] |=
              static_cast<std::uint8_t>((*code & 1) << bit | (*code >> 1) << (bit + 4));
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
          .channel_step = kChannelStep};
}

std::size_t scratch_of(const PreparedConv& prepared, std::int64_t rows) {
  return static_cast<std::size_t>(Map(prepared, rows).bytes()) + finish_scratch(prepared, rows);
}

SumTerms sums_table(const PreparedConv& prepared, const std::uint8_t* input, const ConvPart& part,
                    std::byte* scratch, std::int32_t* sums) {
  const CodeConv& conv = prepared.conv;
  const ConvShape& s = conv.shape;
  const Loops& loops = loops_of(kIsa);
  const Sizes sizes(conv);
  const Map map(prepared, part.rows);
  const std::uint8_t* const first_window =
      input +
      prepared.input.at(part.first_row * s.stride_height - s.padding_height, -s.padding_width);
  auto* const tables = reinterpret_cast<std::uint8_t*>(scratch);
  make_map(prepared, first_window, map, tables);
  Finish finish(prepared, part, scratch + map.bytes());
  finish.set_group(loops, first_window, s.in_channels);

  const std::int64_t stride = sums_stride(part.channels);
  const std::int64_t pixels = part.rows * s.out_width;
  TableWork work = {};
  work.rows = s.kernel_height;
  work.row_bytes = s.dilation_height * map.row_bytes;
  work.octets = s.kernel_width * sizes.octets;
  // An octet is two look-ups of up to four codes each.
  work.steps = 255 / (2 * 4 * max_code(conv.activation_bits));
  work.bits = conv.weight_bits;
  work.sums_pixel = stride;
  const std::int64_t row_bytes = s.stride_height / map.row_step * map.row_bytes;
  const std::int64_t column_bytes = s.stride_width / map.column_step * sizes.octets * kOctetTables;
  const std::int64_t end = part.first_channel + part.channels;
  for (std::int64_t first = part.first_channel; first < end; first += kTableOuts) {
    const std::int64_t channels = std::min(kTableOuts, end - first);
    std::int32_t* const to = sums + first - part.first_channel;
    work.weights = prepared.weights.as<std::uint8_t>() + first / kTableOuts * sizes.block_bytes;
    work.whole = channels > kTableOuts / 2;
    std::int64_t row = 0;
    std::int64_t column = 0;
    for (std::int64_t pixel = 0; pixel < pixels; pixel += work.pixels) {
      work.pixels =
          even_share(pixels - pixel, conv.weight_bits == 1 ? kTablePixels : kTablePixels2);
      for (std::int64_t i = 0; i < work.pixels; ++i) {
        work.tables[i] = tables + row * row_bytes + column * column_bytes;
        if (++column == s.out_width) column = 0, ++row;
      }
      work.sums = to + pixel * stride;
      kDotTables(work);
    }
  }
  return finish.terms();
}

}  // namespace

#define UNIQ_TABLE(name, bits)                                                       \
  UNIQ_DEFINE_CONV_KERNEL(name, refuse_table(conv, bits), cycles_table(conv, rates), \
                          layout_of(conv), prepare_table(conv, input, codes),        \
                          scratch_of(prepared, rows),                                \
                          sums_table(prepared, input, part, scratch, sums))

#if defined(__x86_64__)
UNIQ_TABLE(avx2_table, 1)
UNIQ_TABLE(avx2_table2, 2)
#else
UNIQ_TABLE(neon_table, 1)
UNIQ_TABLE(neon_table2, 2)
#endif

#undef UNIQ_TABLE

}  // namespace uniq::kernels
#endif  // x86-64 or 64-bit ARM
