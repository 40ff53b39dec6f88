// What the direct convolutions share: the weights' layout, and cutting a part into the work of the
// inner loops (dot.h). The border is stored, so all windows are whole. They are read where they
// lie, but for two kinds of copies (copy.h): codes as 16 bits, and pixels of less than a word put
// together without what fills them up, of which a row of a window has fewer words.
#include <algorithm>
#include <bit>
#include <cstddef>
#include <limits>
#include <type_traits>

#include "uniq/kernels/conv_direct_kinds.h"
#include "uniq/kernels/define_conv_kernel.h"
#include "uniq/kernels/finish.h"
#include "uniq/kernels/refusal.h"
#include "uniq/kernels/stored_weights.h"

#if defined(__x86_64__) || defined(__aarch64__)
namespace uniq::kernels {
namespace {

using Form = CodeLayout::Form;

/// Whether a row's taps lie side by side: they are one stretch.
bool is_joined(const ConvShape& s) { return s.groups == 1 && s.dilation_width == 1; }

/// Whether the inner loop reads a copy of the codes.
template <class Kind>
bool is_copied(const ConvShape& s) {
  if constexpr (Kind::kForm == Form::planes)
    return false;
  else
    return sizeof(typename Kind::Code) > 1 ||
           (is_joined(s) && s.kernel_width > 1 && s.in_channels < word_channels<Kind>());
}

/// Where the weights of a group's output channels begin, block by block.
template <class Kind>
struct Blocks {
  static constexpr std::int64_t kOuts = Kind::kVectors * Kind::kLanes;  ///< of a whole block
  static constexpr std::int64_t kWord = word_channels<Kind>();
  /// Bytes before each vector's weights: what sums begin with, all of the block's together.
  static constexpr std::int64_t kHead = Kind::kForm == Form::planes ? Kind::kWordBytes : 0;

  std::int64_t vectors;     ///< of a group
  std::int64_t pixel;       ///< channels from a pixel to the next, in a stretch
  std::int64_t in_stretch;  ///< taps
  std::int64_t stretches;
  std::int64_t words;  ///< of a stretch

  explicit Blocks(const ConvShape& s)
      : vectors(divide_up(s.group_out(), Kind::kLanes)),
        pixel(is_copied<Kind>(s) ? s.in_channels : divide_up(s.in_channels, kWord) * kWord),
        in_stretch(is_joined(s) ? s.kernel_width : 1),
        stretches(s.taps() / in_stretch),
        words(divide_up((in_stretch - 1) * pixel + s.group_in(), kWord)) {}

  std::int64_t vectors_of(std::int64_t block) const {
    return std::min(Kind::kVectors, vectors - block * Kind::kVectors);
  }
  /// In bytes.
  std::int64_t at(std::int64_t group, std::int64_t block) const {
    return (group * vectors + block * Kind::kVectors) *
           (stretches * words * Kind::kWordBytes + kHead);
  }
  /// Of a channel of a stretch, counted from its first.
  std::int64_t at(std::int64_t group, std::int64_t block, std::int64_t stretch,
                  std::int64_t channel, std::int64_t vector) const {
    return at(group, block) + kHead * vectors_of(block) +
           ((stretch * words + channel / kWord) * vectors_of(block) + vector) * Kind::kWordBytes;
  }
};

template <class Kind>
StoredWeights stored_of(const CodeConv& conv) {
  if constexpr (Kind::kForm == Form::planes) {
    return {};  // bits stand for -1 and 1
  } else {
    using Limits = std::numeric_limits<typename Kind::Weight>;
    return stored_weights(conv, Limits::min(), Limits::max());
  }
}

/// Words whose products 16 bits can sum in any order, as pairs: 0 where one word is too much.
template <class Kind>
std::int64_t steps_of(const CodeConv& conv) {
  const StoredWeights stored = stored_of<Kind>(conv);
  const int largest = std::max(-stored.of(0, conv), stored.of(max_code(conv.weight_bits), conv));
  // Sums of products without a sign have none either.
  using Sum =
      std::conditional_t<std::is_signed_v<typename Kind::Weight>, std::int16_t, std::uint16_t>;
  return std::numeric_limits<Sum>::max() /
         std::max(1, 2 * largest * max_code(conv.activation_bits));
}

template <class Kind>
AlignedBytes lay_out(const CodeConv& conv, std::span<const std::uint8_t> codes) {
  const ConvShape& s = conv.shape;
  const Blocks<Kind> blocks(s);
  const StoredWeights stored = stored_of<Kind>(conv);
  AlignedBytes weights(static_cast<std::size_t>(blocks.at(s.groups, 0)));
  const std::uint8_t* code = codes.data();
  for (std::int64_t out = 0; out < s.out_channels; ++out) {
    const std::int64_t in_group = out % s.group_out();
    const std::int64_t block = in_group / blocks.kOuts;
    const std::int64_t vector = in_group % blocks.kOuts / Kind::kLanes;
    const std::int64_t lane = in_group % Kind::kLanes;
    [[maybe_unused]] auto* const first_sums =
        reinterpret_cast<std::int32_t*>(weights.data() + blocks.at(out / s.group_out(), block));
    for (std::int64_t tap = 0; tap < s.taps(); ++tap) {
      const std::int64_t first = tap % blocks.in_stretch * blocks.pixel;
      for (std::int64_t channel = first; channel < first + s.group_in(); ++channel) {
        std::byte* const word =
            weights.data() +
            blocks.at(out / s.group_out(), block, tap / blocks.in_stretch, channel, vector);
        const std::int64_t in_word = channel % blocks.kWord;
        if constexpr (Kind::kForm == Form::planes) {
          reinterpret_cast<std::uint32_t*>(word)[lane] |= std::uint32_t{*code} << in_word;
          first_sums[vector * Kind::kLanes + lane] += *code * max_code(conv.activation_bits);
        } else {
          using Weight = typename Kind::Weight;
          reinterpret_cast<Weight*>(word)[place_of<Kind>(lane, in_word)] =
              static_cast<Weight>(stored.of(*code, conv));
        }
        ++code;
      }
    }
  }
  return weights;
}

template <class Kind>
CodeLayout layout_of(const CodeConv& conv) {
  return plain_layout(conv, Kind::kForm);
}

template <class Kind>
PreparedConv prepare_direct(const CodeConv& conv, const CodeLayout& input,
                            std::span<const std::uint8_t> codes) {
  return {.conv = conv,
          .input = input,
          .weights = lay_out<Kind>(conv, codes),
          .stored = stored_of<Kind>(conv),
          .corrections = make_corrections(conv, codes),
          .reads_windows_alone = conv.shape.groups == 1 && !is_copied<Kind>(conv.shape),
          .lacks_corrections = conv.shape.groups == 1,
          .row_step = 1,
          .channel_step = conv.shape.groups == 1 ? kChannelStep : conv.shape.out_channels};
}

/// The codes of a part's windows as the inner loop reads them: in the map, or in scratch memory.
template <class Kind>
struct Windows {
  std::int64_t copied_rows = 0, copied_columns = 0;  ///< none: they are read in the map
  std::int64_t copied_bytes = 0;
  // Bytes from one to the next:
  std::int64_t pixel, row;
  std::int64_t column_step, row_step;  ///< of windows

  Windows(const PreparedConv& prepared, std::int64_t rows)
      : pixel(prepared.input.pixel_bytes()), row(prepared.input.row_bytes()) {
    const ConvShape& s = prepared.conv.shape;
    column_step = s.stride_width * pixel;
    row_step = s.stride_height * row;
    if constexpr (Kind::kForm == Form::bytes) {
      if (!is_copied<Kind>(s)) return;
      // What strides step over is left out where no window has more than a pixel.
      const bool single = s.taps() == 1;
      copied_rows = single ? rows : covered_rows(s, rows);
      copied_columns = single ? s.out_width : covered_columns(s);
      pixel = s.in_channels * std::int64_t{sizeof(typename Kind::Code)};
      row = copied_columns * pixel;
      column_step = single ? pixel : s.stride_width * pixel;
      row_step = single ? row : s.stride_height * row;
      copied_bytes = divide_up(copied_rows * row + kCopyBeyond, kAlignment) * kAlignment;
    }
  }

  /// The first window, copied to scratch where it has to be.
  const std::uint8_t* first(const PreparedConv& prepared, const std::uint8_t* in_map,
                            std::byte* scratch) const {
    if (copied_rows == 0) return in_map;
    const ConvShape& s = prepared.conv.shape;
    const bool single = s.taps() == 1;
    auto* const to = reinterpret_cast<std::uint8_t*>(scratch);
    if constexpr (Kind::kForm == Form::bytes)
      Kind::kCopy({.input = in_map,
                   .row_bytes = (single ? s.stride_height : 1) * prepared.input.row_bytes(),
                   .pixel_bytes = (single ? s.stride_width : 1) * prepared.input.pixel_bytes(),
                   .channels = s.in_channels,
                   .rows = copied_rows,
                   .columns = copied_columns,
                   .to = to});
    return to;
  }
};

template <class Kind>
std::size_t scratch_of(const PreparedConv& prepared, std::int64_t rows) {
  return static_cast<std::size_t>(Windows<Kind>(prepared, rows).copied_bytes) +
         finish_scratch(prepared, rows);
}

/// What all of a part's work shares.
template <class Kind>
DotWork work_of(const PreparedConv& prepared, const Windows<Kind>& windows) {
  const ConvShape& s = prepared.conv.shape;
  const Blocks<Kind> blocks(s);
  DotWork work = {};
  work.rows = s.kernel_height;
  work.row_bytes = s.dilation_height * windows.row;
  work.columns = s.kernel_width / blocks.in_stretch;
  work.column_bytes = s.dilation_width * windows.pixel;
  work.words = blocks.words;
  if constexpr (Kind::kForm == Form::bytes) work.steps = steps_of<Kind>(prepared.conv);
  return work;
}

/// The part's outputs of a block of output channels; to: the sums of its first.
template <class Kind>
void run_block(const PreparedConv& prepared, const Windows<Kind>& windows,
               const std::uint8_t* first_window, const ConvPart& part, DotWork work,
               std::int64_t out, std::int64_t channels, const Finish& finish, std::int32_t* to,
               std::int64_t to_pixel) {
  const ConvShape& s = prepared.conv.shape;
  const std::int64_t pixels = part.rows * s.out_width;
  // Whole vectors are stored: into the sums themselves unless they would reach into the next
  // group's.
  alignas(kAlignment) std::int32_t tile[kMostDots * Blocks<Kind>::kOuts];
  const bool in_place = s.groups == 1;
  // While a block's weights are used again and again, those of the next one come near.
  const std::int64_t words = work.rows * work.columns * work.words;
  const std::int64_t bytes = words * work.vectors * Kind::kWordBytes;
  const std::int64_t all_words =
      std::max<std::int64_t>(1, divide_up(pixels, Kind::kPixels) * words);
  const auto* next = static_cast<const std::byte*>(work.weights) + bytes;
  work.next_step = std::min(kMostNext, divide_up(bytes, all_words));
  const bool rows_join = windows.row_step == s.out_width * windows.column_step;
  std::int64_t times = 1;
  for (std::int64_t pixel = 0; pixel < pixels; pixel += times * work.pixels) {
    work.next = next;
    work.pixels = even_share(pixels - pixel, Kind::kPixels);
    std::int64_t row = pixel / s.out_width;
    std::int64_t column = pixel % s.out_width;
    if constexpr (Kind::kRuns) {
      // As often as the windows go on like this, in shares of the same size.
      const std::int64_t in_line = rows_join ? pixels - pixel : s.out_width - column;
      const std::int64_t of_size =
          pixels - pixel - (work.pixels - 1) * divide_up(pixels - pixel, work.pixels);
      if (in_place) times = std::clamp<std::int64_t>(in_line / work.pixels, 1, of_size);
      work.more = times - 1;
      work.more_bytes = work.pixels * windows.column_step;
      work.more_sums = work.pixels * to_pixel;
    }
    next += times * work.next_step * words;
    for (std::int64_t i = 0; i < work.pixels; ++i) {
      work.inputs[i] = first_window + row * windows.row_step + column * windows.column_step;
      if (++column == s.out_width) column = 0, ++row;
    }
    work.sums = in_place ? to + pixel * to_pixel : tile;
    work.sums_pixel = in_place ? to_pixel : Blocks<Kind>::kOuts;
    Kind::kDot(work);
    if (in_place) continue;
    loops_of(Kind::kIsa)
        .finish_sums({.raw = tile,
                      .raw_pixel = Blocks<Kind>::kOuts,
                      .sums = to + pixel * to_pixel,
                      .sums_pixel = to_pixel,
                      .pixels = work.pixels,
                      .first_channel = out,
                      .channels = channels,
                      .terms = finish.terms(pixel)});
  }
}

template <class Kind>
SumTerms sums_direct(const PreparedConv& prepared, const std::uint8_t* input, const ConvPart& part,
                     std::byte* scratch, std::int32_t* sums) {
  const CodeConv& conv = prepared.conv;
  const ConvShape& s = conv.shape;
  const Blocks<Kind> blocks(s);
  const Loops& loops = loops_of(Kind::kIsa);
  const std::int64_t stride = sums_stride(part.channels);
  const std::uint8_t* const first_window =
      input +
      prepared.input.at(part.first_row * s.stride_height - s.padding_height, -s.padding_width);
  const Windows<Kind> windows(prepared, part.rows);
  const std::uint8_t* const first_codes = windows.first(prepared, first_window, scratch);
  DotWork work = work_of<Kind>(prepared, windows);
  Finish finish(prepared, part, scratch + windows.copied_bytes);
  for (std::int64_t group = 0; group < s.groups; ++group) {
    finish.set_group(loops, first_window + group * s.group_in(), s.group_in());
    // Planes have one group.
    const std::uint8_t* const window =
        first_codes + group * s.group_in() * (windows.pixel / blocks.pixel);
    const std::int64_t begin = s.groups == 1 ? part.first_channel : 0;
    const std::int64_t end = s.groups == 1 ? begin + part.channels : s.group_out();
    for (std::int64_t first = begin; first < end; first += blocks.kOuts) {
      const std::int64_t block = first / blocks.kOuts;
      const std::int64_t out = group * s.group_out() + first;
      work.weights = prepared.weights.data() + blocks.at(group, block);
      work.vectors = blocks.vectors_of(block);
      run_block<Kind>(prepared, windows, window, part, work, out,
                      std::min(blocks.kOuts, end - first), finish, sums + out - part.first_channel,
                      stride);
    }
  }
  // The windows' sums are a group's own, so several groups are finished one by one.
  return s.groups == 1 ? finish.terms() : SumTerms{};
}

/// Groups do not share a vector: small ones would leave most of its lanes empty.
template <class Kind>
std::string refuse_bytes(const CodeConv& conv) {
  if (conv.shape.groups != 1 && conv.shape.group_out() < Kind::kLanes)
    return refused("groups of " + std::to_string(conv.shape.group_out()) + " output channels",
                   std::to_string(Kind::kLanes) + " or more");
  return refuse_border(conv);
}
template <class Kind>
std::string refuse_pairs(const CodeConv& conv) {
  if (steps_of<Kind>(conv) == 0)
    return refused("weights of " + bits_text(conv.weight_bits) + " and codes of " +
                       bits_text(conv.activation_bits),
                   "pairs of products that fit 16 bits");
  return refuse_bytes<Kind>(conv);
}
bool counts_bits([[maybe_unused]] const CpuInfo& cpu) {
#if defined(__x86_64__)
  return cpu.features.avx512_vpopcntdq;
#else
  return true;
#endif
}
std::string refuse_bits(const CodeConv& conv, const CpuInfo& cpu, int activation_bits) {
  if (conv.weight_bits != 1) return refuse_weights(conv, "1");
  if (conv.activation_bits != activation_bits)
    return refuse_codes(conv, std::to_string(activation_bits));
  if (conv.weight_grid != Grid::mid_rise)
    return refused("weights " + std::string(grid_name(conv.weight_grid)), "mid-rise");
  if (conv.shape.groups != 1) return refuse_groups(conv, "1");
  if (!counts_bits(cpu)) return "the CPU lacks VPOPCNTD";
  return refuse_border(conv);
}

template <class Kind>
double cycles_direct(const CodeConv& conv, double rate, const Rates& rates) {
  const ConvShape& s = conv.shape;
  const Blocks<Kind> blocks(s);
  // A stretch of words counts as a tap of so many channels.
  ConvShape stretches = s;
  stretches.in_channels = s.groups * blocks.words * blocks.kWord;
  return weight_cycles(blocks.at(s.groups, 0), rates) +
         dot_cycles(stretches, s.out_height * s.out_width, blocks.stretches,
                    {.word = Blocks<Kind>::kWord,
                     .lanes = Kind::kLanes,
                     .outs = Blocks<Kind>::kOuts,
                     .pixels = Kind::kPixels},
                    rate, rates.call);
}

}  // namespace

#define UNIQ_DIRECT(name, Kind, refused_for, rate)                                         \
  UNIQ_DEFINE_CONV_KERNEL(name, refused_for, cycles_direct<Kind>(conv, rate, rates),       \
                          layout_of<Kind>(conv), prepare_direct<Kind>(conv, input, codes), \
                          scratch_of<Kind>(prepared, rows),                                \
                          sums_direct<Kind>(prepared, input, part, scratch, sums))

#if defined(__x86_64__)
UNIQ_DIRECT(avx512_vnni_direct, Avx512Vnni, refuse_bytes<Avx512Vnni>(conv), rates.avx512_vnni)
UNIQ_DIRECT(avx2_vnni_direct, Avx2Vnni, refuse_bytes<Avx2Vnni>(conv), rates.avx2_vnni)
UNIQ_DIRECT(avx512_pairs, Avx512Bytes, refuse_pairs<Avx512Bytes>(conv),
            pairs_rate(rates.avx512_bytes, steps_of<Avx512Bytes>(conv)))
UNIQ_DIRECT(avx2_pairs, Avx2Bytes, refuse_pairs<Avx2Bytes>(conv),
            pairs_rate(rates.avx2_bytes, steps_of<Avx2Bytes>(conv)))
UNIQ_DIRECT(avx2_direct, Avx2Wide, refuse_bytes<Avx2Wide>(conv), rates.avx2_words)
UNIQ_DIRECT(avx512_direct, Avx512Wide, refuse_bytes<Avx512Wide>(conv), rates.avx512_words)
UNIQ_DIRECT(avx512_vnni_popcount, Popcount, refuse_bits(conv, cpu, 1), rates.popcount)
UNIQ_DIRECT(avx512_vnni_popcount2, Popcount2, refuse_bits(conv, cpu, 2), rates.popcount2)
#else
UNIQ_DIRECT(neon_dot_direct, NeonDotprod, refuse_bytes<NeonDotprod>(conv), rates.neon_dot)
UNIQ_DIRECT(neon_pairs, NeonPairs, refuse_pairs<NeonPairs>(conv),
            neon_pairs_rate(rates.neon_pairs, steps_of<NeonPairs>(conv)))
UNIQ_DIRECT(neon_direct, Neon, refuse_bytes<Neon>(conv), rates.neon_words)
UNIQ_DIRECT(neon_popcount, Popcount, refuse_bits(conv, cpu, 1), rates.popcount)
UNIQ_DIRECT(neon_popcount2, Popcount2, refuse_bits(conv, cpu, 2), rates.popcount2)
#endif

#undef UNIQ_DIRECT

}  // namespace uniq::kernels
#endif  // x86-64 or 64-bit ARM
