// Inner loops on fp32 values, one build of epilogue.inc, pool.inc and float_conv.inc for each
// instruction set, with the same bits from all. Nothing here but numbers (runs.h says why).
#pragma once

#include <cstdint>

#include "uniq/kernels/runs.h"

namespace uniq::kernels {

/// Matrices are dense, [pixels][channels]; what is written overlaps nothing that is read.
struct Loops {
  // epilogue.inc
  /// v = fma(float(sum), scale, bias)
  void (*scale_sums)(const std::int32_t* sums, const float* scale, const float* bias,
                     std::int64_t pixels, std::int64_t channels, float* v);
  /// v = fma(v, scale, bias)
  void (*affine)(const float* scale, const float* bias, std::int64_t pixels, std::int64_t channels,
                 float* v);
  /// v = v + x
  void (*accumulate)(const float* x, std::int64_t count, float* v);
  void (*relu)(std::int64_t count, float* v);
  void (*relu6)(std::int64_t count, float* v);
  /// The code of each value, `pixel` bytes from pixel to pixel.
  void (*encode)(const float* v, float step, float offset, float largest, std::int64_t pixels,
                 std::int64_t channels, std::uint8_t* codes, std::int64_t pixel);

  // pool.inc
  /// values = a + b
  void (*add)(const float* a, const float* b, std::int64_t count, float* values);
  /// The largest, and the sum divided by `size`, of each channel over rows * columns pixels, `row`
  /// elements from row to row.
  void (*max)(const float* first, std::int64_t rows, std::int64_t columns, std::int64_t row,
              std::int64_t channels, float* values);
  void (*average)(const float* first, std::int64_t rows, std::int64_t columns, std::int64_t row,
                  std::int64_t channels, float size, float* values);

  // float_conv.inc
  /// Output channels in the lanes of a vector, and vectors in a block.
  std::int64_t lanes;
  std::int64_t vectors;
  /// A block of at most lanes * vectors output channels with the same input; weights: [tap][input
  /// channel][vector][lane], filled up with zeros.
  void (*dense)(const FloatRun& work);
  /// As many output channels as input channels, each of its own; weights: [tap][channel].
  void (*depthwise)(const FloatRun& work);
};

extern const Loops kScalarLoops;
#if defined(__x86_64__)
extern const Loops kAvx2Loops;
extern const Loops kAvx512VnniLoops;
#endif

}  // namespace uniq::kernels
