// How a convolution of codes is cut into what threads share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "uniq/runtime/network.h"

namespace uniq::runtime {

/// Parts for each thread, so that one that is late costs little.
inline constexpr std::int64_t kPartsOfThread = 4;

/// Of a convolution of codes: whether its weights are so large, or its rows so few, that parts have
/// some of the channels each.
bool goes_by_channels(const Step& step);

/// Empty for steps that are no convolution of codes, with wide sums or without.
std::vector<kernels::ConvPart> parts_of(const Step& step, int threads);

struct StepPart {
  std::size_t step;
  kernels::ConvPart part;
};
/// A step and those that continue it (Step::continues), in tasks for threads, each of some rows.
/// Of one step alone there are none.
struct Chain {
  std::size_t first = 0, end = 0;
  std::vector<std::vector<StepPart>> tasks = {};
};
std::vector<Chain> chains_of(std::span<const Step> steps, int threads);

/// How a pooled convolution (Step::is_pooled) and its pool are computed together: some rows of the
/// convolution at a time, each of which is pooled along its columns; the last of these, as many as
/// a window has, are kept, and make a row of the pool's.
class PooledRows {
 public:
  PooledRows(const Step& conv, const Step& pool);

  /// Parts of the pool's rows, all channels.
  std::vector<kernels::ConvPart> parts(int threads) const;
  /// First row of the convolution in the windows of a row of the pool's, and the end of those.
  std::int64_t first(std::int64_t row) const;
  std::int64_t end(std::int64_t row) const;
  /// First row of the pool's whose windows a row of the convolution is in, before the part's first
  /// too.
  std::int64_t reader(std::int64_t conv_row) const;
  /// Most rows of the convolution that are computed at once, from a multiple of its kernel's
  /// row_step on.
  std::int64_t chunk() const { return chunk_; }
  /// As many of `rows` of them, a multiple of row_step.
  std::int64_t share(std::int64_t rows) const;
  std::int64_t row_step() const { return row_step_; }
  /// Rows of a window: so many are kept, pooled along their columns.
  std::int64_t depth() const { return shape_.kernel_height; }
  /// Numbers from a pixel to the next, and in a row of the convolution: sums of all channels.
  std::int64_t pixel() const { return kernels::sums_stride(channels_); }
  std::int64_t row() const { return columns_ * pixel(); }
  /// And in one that is pooled along its columns.
  std::int64_t pooled_row() const { return shape_.out_width * pixel(); }
  /// Memory for a chunk and a window's pooled rows.
  std::size_t bytes() const;

 private:
  kernels::PoolShape shape_;
  std::int64_t channels_;
  std::int64_t row_step_;
  std::int64_t columns_;
  std::int64_t chunk_;
};

/// Memory for the sums of a part in 64 bits, and for them as fp32 values.
std::size_t sums64_bytes(const kernels::ConvPart& part, std::int64_t columns);
std::size_t sums64_values_bytes(const kernels::ConvPart& part, std::int64_t columns);

/// Memory for the sums of a part.
std::size_t sums_bytes(const kernels::ConvPart& part, std::int64_t columns);

}  // namespace uniq::runtime
