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

std::int64_t round_up(std::int64_t n, std::int64_t to) { return divide_up(n, to) * to; }

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
  std::int64_t most_rows =
      std::max<std::int64_t>(1, kMostSums / (step.columns * kernels::sums_stride(part_channels)));
  const std::int64_t wanted = divide_up(kPartsOfThread * threads, blocks);
  if (threads > 1) most_rows = std::min(most_rows, divide_up(step.rows, wanted));
  const std::int64_t rows = round_up(most_rows, prepared.row_step);

  std::vector<kernels::ConvPart> parts;
  for (std::int64_t channel = 0; channel < channels; channel += part_channels)
    for (std::int64_t row = 0; row < step.rows; row += rows)
      parts.push_back({.first_row = row,
                       .rows = std::min(rows, step.rows - row),
                       .first_channel = channel,
                       .channels = std::min(part_channels, channels - channel)});
  return parts;
}

std::size_t sums_bytes(const kernels::ConvPart& part, std::int64_t columns) {
  return static_cast<std::size_t>(part.rows * columns * kernels::sums_stride(part.channels)) *
         sizeof(std::int32_t);
}

}  // namespace uniq::runtime
