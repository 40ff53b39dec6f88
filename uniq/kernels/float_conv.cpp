#include <algorithm>
#include <array>
#include <cstddef>

#include "uniq/kernels/conv.h"
#include "uniq/kernels/conv_runs.h"
#include "uniq/kernels/loops_of.h"

namespace uniq::kernels {
namespace {

/// Every output channel reads one input channel, its own.
bool is_depthwise(const ConvShape& s) { return s.group_in() == 1 && s.group_out() == 1; }

/// How a group's output channels are cut into blocks of loops.vectors vectors.
struct Blocks {
  std::int64_t lanes;
  std::int64_t outs;     ///< of a whole block
  std::int64_t vectors;  ///< of a group

  Blocks(const ConvShape& s, const Loops& loops)
      : lanes(loops.lanes),
        outs(loops.lanes * loops.vectors),
        vectors((s.group_out() + lanes - 1) / lanes) {}

  /// Lanes of the block that begins at output channel `first` of its group.
  std::int64_t width(std::int64_t first) const { return std::min(outs, vectors * lanes - first); }
  /// The first weight of that block.
  std::int64_t weights_at(const ConvShape& s, std::int64_t group, std::int64_t first) const {
    return (group * vectors * lanes + first) * s.taps() * s.group_in();
  }
};

AlignedBytes lay_out_depthwise(const ConvShape& s, std::span<const float> weights) {
  AlignedBytes prepared(weights.size_bytes());
  auto* const to = prepared.as<float>();
  for (std::int64_t channel = 0; channel < s.out_channels; ++channel)
    for (std::int64_t tap = 0; tap < s.taps(); ++tap)
      to[tap * s.out_channels + channel] =
          weights[static_cast<std::size_t>(channel * s.taps() + tap)];
  return prepared;
}

AlignedBytes lay_out_dense(const ConvShape& s, std::span<const float> weights, const Loops& loops) {
  const Blocks blocks(s, loops);
  const std::int64_t count = blocks.weights_at(s, s.groups, 0);
  AlignedBytes prepared(static_cast<std::size_t>(count) * sizeof(float));
  auto* const to = prepared.as<float>();
  const std::int64_t inputs = s.taps() * s.group_in();
  for (std::int64_t out = 0; out < s.out_channels; ++out) {
    const std::int64_t in_group = out % s.group_out();
    const std::int64_t in_block = in_group % blocks.outs;
    const std::int64_t first = in_group - in_block;
    const std::int64_t base = blocks.weights_at(s, out / s.group_out(), first) + in_block;
    for (std::int64_t i = 0; i < inputs; ++i)
      to[base + i * blocks.width(first)] = weights[static_cast<std::size_t>(out * inputs + i)];
  }
  return prepared;
}

template <Isa isa>
AlignedBytes prepare(const ConvShape& shape, std::span<const float> weights) {
  if (is_depthwise(shape)) return lay_out_depthwise(shape, weights);
  return lay_out_dense(shape, weights, loops_of(isa));
}

/// What runs of both kinds share.
FloatRun work_of(const ConvShape& s, const Run& run, std::int64_t weights_of_tap) {
  FloatRun work = {};
  work.run = run;
  work.run.weights_row = run.weights_row * weights_of_tap;
  work.in_channels = s.group_in();
  work.values_pixel = s.out_channels;
  return work;
}

template <Isa isa>
void row_values(const ConvShape& s, const AlignedBytes& prepared, const float* input,
                std::int64_t row, float* values) {
  const Loops& loops = loops_of(isa);
  const auto* const weights = prepared.as<float>();
  for_each_run(s, row, s.in_channels, [&](const Run& run, const RunPlace& at) {
    float* const to = values + at.column * s.out_channels;
    if (is_depthwise(s)) {
      FloatRun work = work_of(s, run, s.out_channels);
      work.input = input + at.input;
      work.weights = weights + at.first_tap * s.out_channels;
      work.out_channels = s.out_channels;
      work.values = to;
      return loops.depthwise(work);
    }
    const Blocks blocks(s, loops);
    for (std::int64_t group = 0; group < s.groups; ++group) {
      for (std::int64_t first = 0; first < s.group_out(); first += blocks.outs) {
        const std::int64_t weights_of_tap = s.group_in() * blocks.width(first);
        FloatRun work = work_of(s, run, weights_of_tap);
        work.input = input + at.input + group * s.group_in();
        work.weights = weights + blocks.weights_at(s, group, first) + at.first_tap * weights_of_tap;
        work.out_channels = std::min(blocks.outs, s.group_out() - first);
        work.values = to + group * s.group_out() + first;
        loops.dense(work);
      }
    }
  });
}

template <Isa isa>
constexpr FloatConvKernel kKernel = {isa, prepare<isa>, row_values<isa>};

}  // namespace

const FloatConvKernel& float_conv_kernel(Isa isa) {
  static constexpr std::array kKernels = {
      kKernel<Isa::scalar>,      kKernel<Isa::avx2>, kKernel<Isa::avx2_vnni>, kKernel<Isa::avx512>,
      kKernel<Isa::avx512_vnni>, kKernel<Isa::neon>, kKernel<Isa::neon_dot>};
  return kKernels[static_cast<std::size_t>(isa)];
}

}  // namespace uniq::kernels
