// How a convolution of codes is cut into what threads share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "uniq/runtime/network.h"

namespace uniq::runtime {

/// Parts for each thread, so that one that is late costs little.
inline constexpr std::int64_t kPartsOfThread = 4;

/// Empty for steps that are no convolution of codes.
std::vector<kernels::ConvPart> parts_of(const Step& step, int threads);

/// Which rows of a pooled convolution (Step::is_pooled) its pool's rows need.
class PooledRows {
 public:
  PooledRows(const Step& conv, const Step& pool);

  /// Parts of the pool's rows, all channels.
  std::vector<kernels::ConvPart> parts(int threads) const;
  /// The pool's rows that are made at once.
  std::int64_t chunk() const { return chunk_; }
  /// First row of the convolution that is computed for a row of the pool's, and the end of those.
  std::int64_t first(std::int64_t row) const;
  std::int64_t end(std::int64_t row) const;
  /// Most rows at a time, and the memory for them.
  std::int64_t most() const;
  std::size_t bytes() const;
  /// Numbers from a pixel to the next: sums of all channels.
  std::int64_t pixel() const { return kernels::sums_stride(channels_); }

 private:
  kernels::PoolShape shape_;
  std::int64_t channels_;
  std::int64_t row_step_;
  std::int64_t columns_;
  std::int64_t chunk_;
};

/// Memory for the sums of a part.
std::size_t sums_bytes(const kernels::ConvPart& part, std::int64_t columns);

}  // namespace uniq::runtime
