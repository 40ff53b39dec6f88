// The depthwise convolutions: cutting a part into the work of the inner loops (depthwise.h).
//
// Slots of a group of rows often have rows to spare: a window of 3 rows leaves one of 4. The
// windows of the next rows of outputs that fit into the same slots are computed from them too, with
// the same weights further down: `band` rows of outputs, each with weights of its own.
#include <algorithm>
#include <bit>
#include <cstddef>
#include <limits>

#include "uniq/kernels/define_conv_kernel.h"
#include "uniq/kernels/depthwise.h"
#include "uniq/kernels/refusal.h"
#include "uniq/kernels/stored_weights.h"

#if defined(__x86_64__) || defined(__aarch64__)
namespace uniq::kernels {
namespace {

constexpr std::int64_t kSlotBytes = 4;

/// A kind of inner loops.
struct Kind {
  std::int64_t lanes;
  std::int64_t slot_rows;
  void (*make_slots)(const SlotWork& work);
  void (*outputs)(const DepthwiseWork& work);
  bool row_by_row;  ///< all lanes of a row of a slot come before those of the next
  bool halves;      ///< weights that do not fit 8 bits are halved (DepthwiseWork::ones)

  /// Of a slot's row, in a vector of weights.
  constexpr std::int64_t place(std::int64_t lane, std::int64_t row) const {
    return row_by_row ? row * lanes + lane : lane * slot_rows + row;
  }
  constexpr std::int64_t vector_bytes() const { return lanes * kSlotBytes; }
  constexpr std::int64_t block() const { return kDepthwiseVectors * lanes; }  ///< channels
};
template <class Numbers>
constexpr Kind kind_of(void (*make_slots)(const SlotWork&), void (*outputs)(const DepthwiseWork&),
                       bool row_by_row = false, bool halves = false) {
  return {Numbers::kLanes, Numbers::kSlotRows, make_slots, outputs, row_by_row, halves};
}
#if defined(__x86_64__)
constexpr Kind kAvx512Bytes =
    kind_of<Avx512BytesDepthwise>(slots_avx512_bytes, depthwise_avx512_bytes);
constexpr Kind kAvx512Halves =
    kind_of<Avx512BytesDepthwise>(slots_avx512_bytes, depthwise_avx512_bytes, false, true);
constexpr Kind kAvx2 = kind_of<Avx2Depthwise>(slots_avx2, depthwise_avx2);

StoredWeights byte_weights(const CodeConv& conv) {
  using Limits = std::numeric_limits<std::int8_t>;
  return stored_weights(conv, Limits::min(), Limits::max());
}
const Kind& avx512_kind(const CodeConv& conv) {
  return byte_weights(conv).constant == 0 ? kAvx512Bytes : kAvx512Halves;
}
const Kind& avx2_kind(const CodeConv& /*conv*/) { return kAvx2; }
#else
constexpr Kind kNeon = kind_of<NeonDepthwise>(slots_neon, depthwise_neon, true);
const Kind& neon_kind(const CodeConv& /*conv*/) { return kNeon; }
#endif

/// Of a row: as many as have slots that stay in the fastest cache beside the rest.
std::int64_t outputs_at_once(const Kind& kind, const ConvShape& s) {
  constexpr std::int64_t kMostBytes = 20'000;
  const std::int64_t column_bytes =
      divide_up(s.kernel_height, kind.slot_rows) * kDepthwiseVectors * kind.vector_bytes();
  const std::int64_t most =
      (kMostBytes / column_bytes - (s.kernel_width - 1) * s.dilation_width) / s.stride_width;
  constexpr std::int64_t kFewest = 8;  // fewer would make most of their slots twice
  return even_share(s.out_width, std::max(kFewest, most));
}

/// What of the memory lies where.
struct Sizes {
  std::int64_t groups;   ///< of rows, of a window
  std::int64_t band;     ///< rows of outputs from the same slots
  std::int64_t down;     ///< rows of a slot from one to the next
  std::int64_t vectors;  ///< of all channels
  std::int64_t outputs;  ///< neighbours in a row that are computed from the slots at once
  std::int64_t columns;  ///< of the input that they cover
  std::int64_t window;   ///< bytes of the weights of a vector
  std::int64_t weights;  ///< bytes of all; behind them ones and terms
  std::int64_t ones;     ///< bytes of those of halves, [row of the band][group]

  Sizes(const Kind& kind, const ConvShape& s)
      : groups(divide_up(s.kernel_height, kind.slot_rows)),
        band(1),
        down(0),
        vectors(divide_up(s.out_channels, kind.lanes)),
        outputs(outputs_at_once(kind, s)),
        columns((outputs - 1) * s.stride_width + (s.kernel_width - 1) * s.dilation_width + 1),
        window(groups * s.kernel_width * kind.vector_bytes()) {
    if (s.stride_height % s.dilation_height == 0) {
      down = s.stride_height / s.dilation_height;
      band += (groups * kind.slot_rows - s.kernel_height) / down;
    }
    weights = band * vectors * window;
    ones = kind.halves ? band * groups * kind.vector_bytes() : 0;
  }
  /// Terms: int32 [class][vectors * lanes].
  std::int64_t terms_at() const { return weights + ones; }

  std::int64_t weights_at(std::int64_t row, std::int64_t vector) const {
    return (row * vectors + vector) * window;
  }
};

/// Terms of a class begin at a multiple of the channels in whole vectors.
void lay_out_terms(const Corrections& corrections, std::int64_t channels, std::int64_t padded,
                   std::int32_t* to) {
  for (std::size_t at = 0; at < corrections.terms.size(); at += static_cast<std::size_t>(channels))
    to = std::copy_n(corrections.terms.data() + at, channels, to) + (padded - channels);
}

PreparedConv prepare_depthwise(const Kind& kind, const CodeConv& conv, const CodeLayout& input,
                               std::span<const std::uint8_t> codes) {
  const ConvShape& s = conv.shape;
  const Sizes sizes(kind, s);
  PreparedConv prepared = {.conv = conv,
                           .input = input,
                           .weights = {},
                           .corrections = make_corrections(conv, codes),
                           .row_step = 1,
                           .channel_step = kChannelStep};
  const std::int64_t padded = sizes.vectors * kind.lanes;
  const std::int64_t classes = std::max<std::int64_t>(
      1, static_cast<std::int64_t>(prepared.corrections.terms.size()) / s.out_channels);
  prepared.weights = AlignedBytes(static_cast<std::size_t>(
      sizes.terms_at() + classes * padded * std::int64_t{sizeof(std::int32_t)}));
  std::byte* const first = prepared.weights.data();
  const std::uint8_t* code = codes.data();
  for (std::int64_t out = 0; out < s.out_channels; ++out) {
    for (std::int64_t tap = 0; tap < s.taps(); ++tap) {
      const int whole = code_integer(*code++, conv.weight_grid, conv.weight_bits);
      const int integer = kind.halves ? (whole - 1) / 2 : whole;
      for (std::int64_t row = 0; row < sizes.band; ++row) {
        const std::int64_t slot_row = tap / s.kernel_width + row * sizes.down;
        const std::int64_t vector =
            slot_row / kind.slot_rows * s.kernel_width + tap % s.kernel_width;
        const std::int64_t place = vector * kind.lanes * kind.slot_rows +
                                   kind.place(out % kind.lanes, slot_row % kind.slot_rows);
        std::byte* const to = first + sizes.weights_at(row, out / kind.lanes);
        if (kind.slot_rows == kSlotBytes) {
          reinterpret_cast<std::int8_t*>(to)[place] = static_cast<std::int8_t>(integer);
        } else {
          reinterpret_cast<std::int16_t*>(to)[place] = static_cast<std::int16_t>(integer);
        }
      }
    }
  }
  lay_out_terms(prepared.corrections, s.out_channels, padded,
                reinterpret_cast<std::int32_t*>(first + sizes.terms_at()));
  for (std::int64_t row = 0; kind.halves && row < sizes.band; ++row)
    for (std::int64_t i = 0; i < s.kernel_height; ++i) {
      const std::int64_t slot_row = i + row * sizes.down;
      std::byte* const to = first + sizes.weights +
                            (row * sizes.groups + slot_row / kind.slot_rows) * kind.vector_bytes();
      for (std::int64_t lane = 0; lane < kind.lanes; ++lane)
        to[kind.place(lane, slot_row % kind.slot_rows)] = std::byte{1};
    }
  return prepared;
}

std::size_t scratch_of(const Kind& kind, const PreparedConv& prepared) {
  const Sizes sizes(kind, prepared.conv.shape);
  return static_cast<std::size_t>(sizes.groups * sizes.columns * kDepthwiseVectors *
                                  kind.vector_bytes());
}

/// The slots of a block for some neighbouring outputs of some rows; window: the first one's first
/// tap.
void make_slots(const Kind& kind, const Sizes& sizes, const PreparedConv& prepared,
                const std::uint8_t* window, std::int64_t rows, std::int64_t outputs,
                std::int64_t vectors, std::byte* slots) {
  const ConvShape& s = prepared.conv.shape;
  const std::int64_t row_bytes = s.dilation_height * prepared.input.row_bytes();
  // Rows that no weight counts may lie beyond the map: the first stands for them.
  const std::int64_t used = s.kernel_height + (rows - 1) * sizes.down;
  SlotWork work = {.rows = {},
                   .row_pixel = prepared.input.pixel_bytes(),
                   .columns = sizes.columns - (sizes.outputs - outputs) * s.stride_width,
                   .vectors = vectors,
                   .slots = slots};
  for (std::int64_t group = 0; group < sizes.groups; ++group) {
    for (std::int64_t i = 0; i < kind.slot_rows; ++i) {
      const std::int64_t row = group * kind.slot_rows + i;
      work.rows[i] = window + (row < used ? row : 0) * row_bytes;
    }
    work.slots = slots + group * sizes.columns * vectors * kind.vector_bytes();
    kind.make_slots(work);
  }
}

/// Outputs of a row whose windows have the same terms, from the slots of a block.
struct Stretch {
  std::int64_t row;      ///< in the band
  std::int64_t first;    ///< output, counted from the one that the slots begin with
  std::int64_t columns;  ///< outputs
};
void run_stretch(const Kind& kind, const Sizes& sizes, const PreparedConv& prepared,
                 const Stretch& stretch, std::int64_t vector, std::int64_t vectors,
                 const std::byte* slots, const std::int32_t* terms, std::int32_t* sums,
                 std::int64_t sums_pixel) {
  const ConvShape& s = prepared.conv.shape;
  const std::int64_t column_bytes = vectors * kind.vector_bytes();
  const DepthwiseWork work = {
      .slots = slots + stretch.first * s.stride_width * column_bytes,
      .groups = sizes.groups,
      .group_bytes = sizes.columns * column_bytes,
      .columns = s.kernel_width,
      .column_bytes = s.dilation_width * column_bytes,
      .pixels = stretch.columns,
      .pixel_bytes = s.stride_width * column_bytes,
      .vectors = vectors,
      .weights = prepared.weights.data() + sizes.weights_at(stretch.row, vector),
      .weights_vector = sizes.window,
      .ones = kind.halves ? prepared.weights.data() + sizes.weights +
                                stretch.row * sizes.groups * kind.vector_bytes()
                          : nullptr,
      .shift = std::countr_zero(static_cast<unsigned>(code_factor(prepared.conv.activation_grid))),
      .terms = terms,
      .sums = sums,
      .sums_pixel = sums_pixel};
  kind.outputs(work);
}

/// Nothing is lacking.
SumTerms sums_depthwise(const Kind& kind, const PreparedConv& prepared, const std::uint8_t* input,
                        const ConvPart& part, std::byte* scratch, std::int32_t* sums) {
  const ConvShape& s = prepared.conv.shape;
  const Sizes sizes(kind, s);
  const std::int64_t stride = sums_stride(part.channels);
  const std::int64_t end = part.first_channel + part.channels;
  const auto* const terms =
      reinterpret_cast<const std::int32_t*>(prepared.weights.data() + sizes.terms_at());
  const bool varies = prepared.corrections.vary();
  const auto terms_at = [&](std::int64_t row, std::int64_t column) {
    return varies ? prepared.corrections.at(row, column, sizes.vectors * kind.lanes) : 0;
  };
  for (std::int64_t done = 0; done < part.rows; done += sizes.band) {
    const std::int64_t rows = std::min(sizes.band, part.rows - done);
    const std::uint8_t* const window =
        input + prepared.input.at((part.first_row + done) * s.stride_height - s.padding_height,
                                  -s.padding_width);
    for (std::int64_t channel = part.first_channel; channel < end; channel += kind.block()) {
      const std::int64_t vectors = divide_up(std::min(kind.block(), end - channel), kind.lanes);
      for (std::int64_t first = 0; first < s.out_width; first += sizes.outputs) {
        const std::int64_t last = std::min(first + sizes.outputs, s.out_width);
        make_slots(kind, sizes, prepared,
                   window + first * s.stride_width * prepared.input.pixel_bytes() + channel, rows,
                   last - first, vectors, scratch);
        for (std::int64_t row = 0; row < rows; ++row) {
          std::int32_t* const to =
              sums + (done + row) * s.out_width * stride + channel - part.first_channel;
          for (std::int64_t column = first; column < last;) {
            const std::int64_t at = terms_at(part.first_row + done + row, column);
            Stretch stretch = {.row = row, .first = column - first, .columns = 0};
            std::int32_t* const stretch_to = to + column * stride;
            while (column < last && terms_at(part.first_row + done + row, column) == at) ++column;
            stretch.columns = column - first - stretch.first;
            run_stretch(kind, sizes, prepared, stretch, channel / kind.lanes, vectors, scratch,
                        terms + at + channel, stretch_to, stride);
          }
        }
      }
    }
  }
  return {};
}

/// A single channel is the others' work: their vectors are of output channels too.
std::string refuse_depthwise(const CodeConv& conv) {
  const ConvShape& s = conv.shape;
  if (s.groups == 1) return refuse_groups(conv, "one for each channel");
  if (s.group_in() != 1 || s.group_out() != 1)
    return refused("groups of " + std::to_string(s.group_in()) + " and " +
                       std::to_string(s.group_out()) + " channels",
                   "1 and 1");
  return refuse_border(conv);
}

#if defined(__x86_64__)
/// What does not fit 8 bits has to be odd.
std::string refuse_bytes(const CodeConv& conv) {
  const StoredWeights stored = byte_weights(conv);
  if (stored.constant != 0 && stored.factor != 2)
    return refused("weights " + std::string(grid_name(conv.weight_grid)) + " of " +
                       bits_text(conv.weight_bits),
                   "weights that fit a byte, or odd ones");
  return refuse_depthwise(conv);
}
#endif

/// A tap of all channels at a time.
double cycles_depthwise(const Kind& kind, const CodeConv& conv, double rate) {
  const ConvShape& s = conv.shape;
  const std::int64_t channels = divide_up(s.out_channels, kind.lanes) * kind.lanes;
  return static_cast<double>(s.out_height * s.out_width * s.taps() * channels) / rate;
}

}  // namespace

#define UNIQ_DEPTHWISE(name, kind, refused_for, rate)                    \
  UNIQ_DEFINE_CONV_KERNEL(                                               \
      name, refused_for, cycles_depthwise(kind(conv), conv, rates.rate), \
      plain_layout(conv, CodeLayout::Form::bytes),                       \
      prepare_depthwise(kind(conv), conv, input, codes),                 \
      scratch_of(kind(prepared.conv), prepared),                         \
      sums_depthwise(kind(prepared.conv), prepared, input, part, scratch, sums))

#if defined(__x86_64__)
UNIQ_DEPTHWISE(avx512_vnni_depthwise, avx512_kind, refuse_bytes(conv), avx512_depthwise)
UNIQ_DEPTHWISE(avx2_depthwise, avx2_kind, refuse_depthwise(conv), avx2_depthwise)
#else
UNIQ_DEPTHWISE(neon_depthwise, neon_kind, refuse_depthwise(conv), neon_depthwise)
#endif

#undef UNIQ_DEPTHWISE

}  // namespace uniq::kernels
#endif  // x86-64 or 64-bit ARM
