// What the direct convolutions share: the weights' layout, and cutting a row into the work of the
// inner loops (direct.h). Taps outside the picture are skipped; corrections.h has the arithmetic.
#include <algorithm>
#include <bit>
#include <cstddef>
#include <limits>

#include "uniq/kernels/conv_kernels.h"
#include "uniq/kernels/conv_runs.h"
#include "uniq/kernels/corrections.h"
#include "uniq/kernels/direct.h"

#if defined(__x86_64__)
namespace uniq::kernels {
namespace {

std::int64_t divide_up(std::int64_t n, std::int64_t by) { return (n + by - 1) / by; }

/// Where a channel of a word of codes finds its weight for a lane.
std::int64_t place(Avx512VnniDirect /*direct*/, std::int64_t lane, std::int64_t channel) {
  return lane * kWord + channel;
}
std::int64_t place(Avx2Direct direct, std::int64_t lane, std::int64_t channel) {
  constexpr std::int64_t kPair = 2;
  return (channel % kPair * direct.kLanes + lane) * kPair + channel / kPair;
}

/// weight integer = factor * stored + constant. The weight itself is stored where it fits; of those
/// of 8 bits, mid-rise ones do not fit a byte, nor unsigned ones: there code - 128 is stored, and
/// the sum of the window's codes gives the rest.
struct StoredWeights {
  int factor = 1;
  int constant = 0;
};
template <class Direct>
StoredWeights stored_weights(const CodeConv& conv) {
  using Limits = std::numeric_limits<typename Direct::Weight>;
  const auto integer = [&conv](int code) {
    return code_integer(code, conv.weight_grid, conv.weight_bits);
  };
  const int largest = max_code(conv.weight_bits);
  if (integer(0) >= Limits::min() && integer(largest) <= Limits::max()) return {};
  const int factor = integer(1) - integer(0);
  const int middle = (largest + 1) / 2;
  return {.factor = factor, .constant = integer(middle)};
}

/// How a group's output channels are cut into blocks.
template <class Direct>
struct Blocks {
  static constexpr std::int64_t kOuts = Direct::kVectors * Direct::kLanes;  ///< of a whole block
  static constexpr std::int64_t kVectorWeights = Direct::kLanes * kWord;    ///< of a word of codes

  std::int64_t vectors;  ///< of a group
  std::int64_t words;    ///< of a tap
  std::int64_t taps;

  explicit Blocks(const ConvShape& s)
      : vectors(divide_up(s.group_out(), Direct::kLanes)),
        words(divide_up(s.group_in(), kWord)),
        taps(s.taps()) {}

  std::int64_t vectors_of(std::int64_t block) const {
    return std::min(Direct::kVectors, vectors - block * Direct::kVectors);
  }
  std::int64_t tap_weights(std::int64_t block) const {
    return words * vectors_of(block) * kVectorWeights;
  }
  /// The first weight of a block.
  std::int64_t weights_at(std::int64_t group, std::int64_t block) const {
    return (group * vectors + block * Direct::kVectors) * taps * words * kVectorWeights;
  }
};

template <class Direct>
AlignedBytes lay_out(const CodeConv& conv, std::span<const std::uint8_t> codes) {
  using Weight = typename Direct::Weight;
  const ConvShape& s = conv.shape;
  const Blocks<Direct> blocks(s);
  const StoredWeights stored = stored_weights<Direct>(conv);
  AlignedBytes weights(static_cast<std::size_t>(blocks.weights_at(s.groups, 0)) * sizeof(Weight));
  auto* const to = weights.as<Weight>();
  const std::uint8_t* code = codes.data();
  for (std::int64_t out = 0; out < s.out_channels; ++out) {
    const std::int64_t in_group = out % s.group_out();
    const std::int64_t block = in_group / blocks.kOuts;
    const std::int64_t vector = in_group % blocks.kOuts / Direct::kLanes;
    const std::int64_t lane = in_group % Direct::kLanes;
    const std::int64_t first = blocks.weights_at(out / s.group_out(), block);
    for (std::int64_t tap = 0; tap < s.taps(); ++tap) {
      for (std::int64_t channel = 0; channel < s.group_in(); ++channel) {
        const std::int64_t word = tap * blocks.words + channel / kWord;
        const std::int64_t at =
            first + (word * blocks.vectors_of(block) + vector) * blocks.kVectorWeights;
        const int integer = code_integer(*code++, conv.weight_grid, conv.weight_bits);
        to[at + place(Direct{}, lane, channel % kWord)] =
            static_cast<Weight>((integer - stored.constant) / stored.factor);
      }
    }
  }
  return weights;
}

template <class Direct>
bool supports_direct(const CodeConv& conv) {
  // Groups do not share a vector: small ones would leave most of its lanes empty.
  return conv.shape.groups == 1 || conv.shape.group_out() >= Direct::kLanes;
}

template <class Direct>
PreparedConv prepare_direct(const CodeConv& conv, std::span<const std::uint8_t> codes) {
  const ConvShape& s = conv.shape;
  PreparedConv prepared = {
      .conv = conv,
      .weights = lay_out<Direct>(conv, codes),
      .rows = axis_classes(s.out_height, s.in_height, s.kernel_height, s.stride_height,
                           s.padding_height, s.dilation_height),
      .columns = axis_classes(s.out_width, s.in_width, s.kernel_width, s.stride_width,
                              s.padding_width, s.dilation_width),
      .corrections = {}};
  prepared.corrections = make_corrections(conv, prepared.rows, prepared.columns, codes);
  return prepared;
}

/// The corrections of an output's class, or null.
const std::int32_t* corrections_at(const PreparedConv& prepared, std::int64_t row,
                                   std::int64_t column) {
  if (prepared.corrections.empty()) return nullptr;
  const auto columns = static_cast<std::int64_t>(prepared.columns.ranges.size());
  const std::int64_t row_class = prepared.rows.class_of[static_cast<std::size_t>(row)];
  const std::int64_t column_class = prepared.columns.class_of[static_cast<std::size_t>(column)];
  return prepared.corrections.data() +
         (row_class * columns + column_class) * prepared.conv.shape.out_channels;
}

template <class Direct>
void row_sums_direct(const PreparedConv& prepared, const std::uint8_t* input, std::int64_t row,
                     std::int32_t* sums, void (*run_block)(const CodeRun& run)) {
  const CodeConv& conv = prepared.conv;
  const ConvShape& s = conv.shape;
  const Blocks<Direct> blocks(s);
  const StoredWeights stored = stored_weights<Direct>(conv);
  const int factor = code_factor(conv.activation_grid);
  const auto* const weights = prepared.weights.as<typename Direct::Weight>();

  for_each_run(s, row, code_stride(s.in_channels), [&](const Run& run, const RunPlace& at) {
    const std::int32_t* const corrections = corrections_at(prepared, row, at.column);
    CodeRun work = {};
    work.run = run;
    work.in_channels = s.group_in();
    work.shift = std::countr_zero(static_cast<unsigned>(factor * stored.factor));
    work.per_code = static_cast<std::uint32_t>(factor * stored.constant);
    work.sums_pixel = s.out_channels;
    for (std::int64_t group = 0; group < s.groups; ++group) {
      work.input = input + at.input + group * s.group_in();
      for (std::int64_t first = 0; first < s.group_out(); first += blocks.kOuts) {
        const std::int64_t block = first / blocks.kOuts;
        const std::int64_t out = group * s.group_out() + first;
        const std::int64_t tap_weights = blocks.tap_weights(block);
        work.run.weights_row = run.weights_row * tap_weights;
        work.weights = weights + blocks.weights_at(group, block) + at.first_tap * tap_weights;
        work.out_channels = std::min(blocks.kOuts, s.group_out() - first);
        work.corrections = corrections == nullptr ? nullptr : corrections + out;
        work.sums = sums + at.column * s.out_channels + out;
        run_block(work);
      }
    }
  });
}

}  // namespace

namespace avx512_vnni_direct {

bool supports(const CodeConv& conv) { return supports_direct<Avx512VnniDirect>(conv); }
PreparedConv prepare(const CodeConv& conv, std::span<const std::uint8_t> codes) {
  return prepare_direct<Avx512VnniDirect>(conv, codes);
}
void row_sums(const PreparedConv& prepared, const std::uint8_t* input, std::int64_t row,
              std::int32_t* sums) {
  row_sums_direct<Avx512VnniDirect>(prepared, input, row, sums, run_avx512_vnni_direct);
}

}  // namespace avx512_vnni_direct

namespace avx2_direct {

bool supports(const CodeConv& conv) { return supports_direct<Avx2Direct>(conv); }
PreparedConv prepare(const CodeConv& conv, std::span<const std::uint8_t> codes) {
  return prepare_direct<Avx2Direct>(conv, codes);
}
void row_sums(const PreparedConv& prepared, const std::uint8_t* input, std::int64_t row,
              std::int32_t* sums) {
  row_sums_direct<Avx2Direct>(prepared, input, row, sums, run_avx2_direct);
}

}  // namespace avx2_direct
}  // namespace uniq::kernels
#endif  // x86-64
