#include "uniq/runtime/parts.h"

#include <algorithm>

#include "uniq/kernels/stored_weights.h"

namespace uniq::runtime {
namespace {

using kernels::divide_up;

/// Weights beyond this do not stay in the cache beside the rest while a map's rows go by.
constexpr std::size_t kCachedWeights = 400'000;

/// Sums of a part stay in the cache between the kernel and the epilogue.
constexpr std::int64_t kMostSums = 32'768;

}  // namespace

std::vector<kernels::ConvPart> parts_of(const Step& step, int threads) {
  const auto* core = std::get_if<CodeConvCore>(&step.core);
  if (core == nullptr) return {};
  const kernels::PreparedConv& prepared = core->prepared;
  const std::int64_t channels = step.epilogue.channels;

  // Large weights go through the cache once: a block of channels, then all rows.
  const bool splits = prepared.weights.size() > kCachedWeights || step.rows * step.columns == 1;
  const std::int64_t part_channels = splits ? std::min(channels, prepared.channel_step) : channels;
  const std::int64_t blocks = divide_up(channels, part_channels);

  // Rows in as many nearly equal pieces as the cache asks for, or the threads.
  const std::int64_t steps = divide_up(step.rows, prepared.row_step);
  const std::int64_t step_sums =
      prepared.row_step * step.columns * kernels::sums_stride(part_channels);
  std::int64_t pieces = divide_up(steps, std::max<std::int64_t>(1, kMostSums / step_sums));
  if (threads > 1) {
    pieces = std::max(pieces, divide_up(kPartsOfThread * threads, blocks));
    if (blocks % threads != 0) pieces = divide_up(pieces, threads) * threads;
  }
  pieces = std::min(pieces, steps);

  std::vector<kernels::ConvPart> parts;
  for (std::int64_t channel = 0; channel < channels; channel += part_channels)
    for (std::int64_t piece = 0; piece < pieces; ++piece) {
      const std::int64_t first = piece * steps / pieces * prepared.row_step;
      const std::int64_t end = (piece + 1) * steps / pieces * prepared.row_step;
      parts.push_back({.first_row = first,
                       .rows = std::min(end, step.rows) - first,
                       .first_channel = channel,
                       .channels = std::min(part_channels, channels - channel)});
    }
  return parts;
}

std::size_t sums_bytes(const kernels::ConvPart& part, std::int64_t columns) {
  return static_cast<std::size_t>(part.rows * columns * kernels::sums_stride(part.channels)) *
         sizeof(std::int32_t);
}

}  // namespace uniq::runtime
