// Cores on fp32 values that are no convolution: a row of output at a time, the same bits from every
// instruction set (written once, pool.inc). Maps are [row][column][channel], dense.
#pragma once

#include <cstdint>

#include "uniq/kernels/isa.h"

namespace uniq::kernels {

struct PoolShape {
  std::int64_t channels = 0, in_height = 0, in_width = 0, out_height = 0, out_width = 0;
  std::int64_t kernel_height = 1, kernel_width = 1;
  std::int64_t stride_height = 1, stride_width = 1;
  std::int64_t padding_height = 0, padding_width = 0;
};

/// values: one row of output, [out_width][channels].
struct PoolKernel {
  Isa isa;
  /// The largest of what is inside, the first of equals; shapes where a window has nothing inside
  /// do not occur.
  void (*max_row)(const PoolShape& shape, const float* input, std::int64_t row, float* values);
  /// 0 + x1 + x2 + ... of what is inside, by row and column, divided by kernel height * width.
  void (*average_row)(const PoolShape& shape, const float* input, std::int64_t row, float* values);
  /// a + b
  void (*add)(const float* a, const float* b, std::int64_t count, float* values);
};
/// Precondition: has_isa(isa).
const PoolKernel& pool_kernel(Isa isa);

}  // namespace uniq::kernels
