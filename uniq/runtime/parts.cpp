#include "uniq/runtime/parts.h"

#include <algorithm>
#include <optional>

#include "uniq/kernels/stored_weights.h"
#include "uniq/runtime/pieces.h"

namespace uniq::runtime {
namespace {

using kernels::divide_up;

/// Weights beyond this do not stay in the cache beside the rest while a map's rows go by.
constexpr std::size_t kCachedWeights = 400'000;

/// Sums of a part stay in a core's own cache, of 1 MiB, between the kernel and the epilogue.
constexpr std::int64_t kMostSums = 98'304;

/// What a part costs besides its rows: rows that windows of two parts share, the pool; in rows.
constexpr double kPart = 0.15;

/// And a task of a chain: it cuts the parts of its steps smaller.
constexpr double kTask = 1.5;

/// Sums of a row.
std::int64_t row_sums(const Step& step, std::int64_t channels) {
  return step.columns * kernels::sums_stride(channels);
}

/// Rows that parts cut into pieces.
struct Rows {
  std::int64_t first, rows;
  std::int64_t row_step;  ///< parts begin at multiples of it, a power of two
  std::int64_t steps() const { return divide_up(rows, row_step); }

  /// Of pieces, so that the sums of each stay in the cache.
  std::int64_t least(std::int64_t row_sums) const {
    return divide_up(steps(), std::max<std::int64_t>(1, kMostSums / (row_step * row_sums)));
  }
  Rows piece(std::int64_t i, std::int64_t pieces) const {
    const std::int64_t begin = i * steps() / pieces * row_step;
    const std::int64_t end = (i + 1) * steps() / pieces * row_step;
    return {first + begin, std::min(end, rows) - begin, row_step};
  }
};

const kernels::PreparedConv& prepared_of(const Step& step) {
  return std::get<CodeConvCore>(step.core).prepared;
}

/// What parts of a convolution depend on.
struct Grain {
  std::size_t weight_bytes;
  std::int64_t row_step, channel_step;  ///< parts begin at multiples of them
};

/// Nothing where a step is no convolution of codes.
std::optional<Grain> grain_of(const Step& step) {
  if (const auto* core = std::get_if<CodeConvCore>(&step.core))
    return Grain{core->prepared.weights.size(), core->prepared.row_step,
                 core->prepared.channel_step};
  if (const auto* core = std::get_if<Sums64Core>(&step.core))
    return Grain{core->prepared.weights.size(), 1, core->prepared.channel_step};
  return std::nullopt;
}

bool goes_by_channels(const Step& step, const Grain& grain) {
  return grain.weight_bytes > kCachedWeights || step.rows * step.columns == 1;
}

}  // namespace

bool goes_by_channels(const Step& step) { return goes_by_channels(step, *grain_of(step)); }

std::vector<kernels::ConvPart> parts_of(const Step& step, int threads) {
  const std::optional<Grain> grain = grain_of(step);
  if (!grain) return {};
  const std::int64_t channels = step.epilogue.channels;

  // Large weights go through the cache once: a block of channels, then all rows.
  const std::int64_t part_channels =
      goes_by_channels(step, *grain) ? std::min(channels, grain->channel_step) : channels;
  const Rows rows = {0, step.rows, grain->row_step};
  const std::int64_t pieces = best_pieces(
      {.rows = rows.steps(), .blocks = divide_up(channels, part_channels), .of_piece = kPart},
      rows.least(row_sums(step, part_channels)), threads);

  std::vector<kernels::ConvPart> parts;
  for (std::int64_t channel = 0; channel < channels; channel += part_channels)
    for (std::int64_t i = 0; i < pieces; ++i) {
      const Rows piece = rows.piece(i, pieces);
      parts.push_back({.first_row = piece.first,
                       .rows = piece.rows,
                       .first_channel = channel,
                       .channels = std::min(part_channels, channels - channel)});
    }
  return parts;
}

namespace {

/// What a thread does with some rows of a chain: step by step, in parts of each step's own size.
std::vector<StepPart> task_of(std::span<const Step> steps, const Chain& chain, Rows rows) {
  std::vector<StepPart> parts;
  for (std::size_t i = chain.first; i < chain.end; ++i) {
    const std::int64_t channels = steps[i].epilogue.channels;
    rows.row_step = prepared_of(steps[i]).row_step;
    const std::int64_t pieces = rows.least(row_sums(steps[i], channels));
    for (std::int64_t p = 0; p < pieces; ++p) {
      const Rows piece = rows.piece(p, pieces);
      parts.push_back({i, {.first_row = piece.first, .rows = piece.rows, .channels = channels}});
    }
  }
  return parts;
}

}  // namespace

std::vector<Chain> chains_of(std::span<const Step> steps, int threads) {
  std::vector<Chain> chains;
  for (std::size_t first = 0, end = 0; first < steps.size(); first = end) {
    for (end = first + 1; end < steps.size() && steps[end].continues;) ++end;
    Chain& chain = chains.emplace_back(Chain{.first = first, .end = end});
    if (end == first + 1) continue;
    Rows all = {0, steps[first].rows, 1};
    for (std::size_t i = first; i < end; ++i)
      all.row_step = std::max(all.row_step, prepared_of(steps[i]).row_step);
    const std::int64_t tasks = best_pieces({.rows = all.steps(), .of_piece = kTask}, 1, threads);
    for (std::int64_t task = 0; task < tasks; ++task)
      chain.tasks.push_back(task_of(steps, chain, all.piece(task, tasks)));
  }
  return chains;
}

PooledRows::PooledRows(const Step& conv, const Step& pool)
    : shape_(std::get<PoolCore>(pool.core).shape),
      channels_(conv.epilogue.channels),
      row_step_(std::get<CodeConvCore>(conv.core).prepared.row_step),
      columns_(conv.columns),
      // Sums of a chunk stay in the cache.
      chunk_(divide_up(std::max<std::int64_t>(1, kMostSums / row()), row_step_) * row_step_) {}

std::vector<kernels::ConvPart> PooledRows::parts(int threads) const {
  // Each part begins with rows that the one before computes too.
  const std::int64_t twice = shape_.kernel_height - shape_.stride_height + row_step_ - 1;
  const double of_part =
      kPart + static_cast<double>(twice) / static_cast<double>(shape_.stride_height);
  const std::int64_t pieces =
      best_pieces({.rows = shape_.out_height, .of_piece = of_part}, 1, threads);
  std::vector<kernels::ConvPart> parts;
  for (std::int64_t piece = 0; piece < pieces; ++piece) {
    const std::int64_t begin = piece * shape_.out_height / pieces;
    const std::int64_t end = (piece + 1) * shape_.out_height / pieces;
    parts.push_back({.first_row = begin, .rows = end - begin, .channels = channels_});
  }
  return parts;
}

std::int64_t PooledRows::share(std::int64_t rows) const {
  return divide_up(kernels::even_share(rows, chunk_), row_step_) * row_step_;
}

std::int64_t PooledRows::first(std::int64_t row) const {
  return std::max<std::int64_t>(0, row * shape_.stride_height - shape_.padding_height);
}

std::int64_t PooledRows::end(std::int64_t row) const {
  return std::min(shape_.in_height,
                  row * shape_.stride_height - shape_.padding_height + shape_.kernel_height);
}

std::int64_t PooledRows::reader(std::int64_t conv_row) const {
  const std::int64_t behind = conv_row + shape_.padding_height - shape_.kernel_height + 1;
  return behind <= 0 ? 0 : divide_up(behind, shape_.stride_height);
}

std::size_t PooledRows::bytes() const {
  return static_cast<std::size_t>(chunk_ * row() + depth() * pooled_row()) * sizeof(std::int32_t);
}

std::size_t sums64_bytes(const kernels::ConvPart& part, std::int64_t columns) {
  return static_cast<std::size_t>(part.rows * columns * part.channels) * sizeof(std::int64_t);
}

std::size_t sums64_values_bytes(const kernels::ConvPart& part, std::int64_t columns) {
  return static_cast<std::size_t>(part.rows * columns * part.channels) * sizeof(float);
}

std::size_t sums_bytes(const kernels::ConvPart& part, std::int64_t columns) {
  return static_cast<std::size_t>(part.rows * columns * kernels::sums_stride(part.channels)) *
         sizeof(std::int32_t);
}

}  // namespace uniq::runtime
