// Convolutions on codes: exact integer sums, then the epilogue, a row of output at a time. Every
// kernel gives the bits of the scalar one.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "uniq/base/aligned.h"
#include "uniq/grid/grid.h"
#include "uniq/kernels/border.h"
#include "uniq/kernels/epilogue.h"
#include "uniq/kernels/isa.h"

namespace uniq::kernels {

/// Shapes of one convolution; one picture.
struct ConvShape {
  std::int64_t in_channels = 0, in_height = 0, in_width = 0;
  std::int64_t out_channels = 0, out_height = 0, out_width = 0;
  std::int64_t kernel_height = 1, kernel_width = 1;
  std::int64_t stride_height = 1, stride_width = 1;
  std::int64_t padding_height = 0, padding_width = 0;
  std::int64_t dilation_height = 1, dilation_width = 1;
  std::int64_t groups = 1;
  std::int64_t group_in() const { return in_channels / groups; }
  std::int64_t group_out() const { return out_channels / groups; }
  std::int64_t taps() const { return kernel_height * kernel_width; }
};

/// A convolution of codes. The sum of an output is the sum over its window of
/// integer(weight code) * integer(activation code) (uniq::code_integer); it fits int32. Where the
/// window lies outside the picture, pad_code stands, or nothing (-1).
struct CodeConv {
  ConvShape shape;
  int weight_bits = 8;
  Grid weight_grid = Grid::mid_rise;
  int activation_bits = 8;
  Grid activation_grid = Grid::unsigned_;
  int pad_code = -1;
};

/// What a kernel makes of the weights before the first picture.
struct PreparedConv {
  CodeConv conv;
  AlignedBytes weights;  ///< in the kernel's own layout
  AxisClasses rows, columns;
  /// What the window's position adds to a sum, [class][out_channels] (corrections.h); empty where
  /// the kernel needs none.
  std::vector<std::int32_t> corrections;
};

struct ConvKernel {
  const char* name;  ///< "avx2.direct": unique
  Isa isa;
  bool (*supports)(const CodeConv& conv);
  /// codes: [out][kernel row][kernel column][in / groups], one byte each.
  PreparedConv (*prepare)(const CodeConv& conv, std::span<const std::uint8_t> codes);
  /// Sums of one row of output, int32 [out_width][out_channels]. `input`: the picture's codes, rows
  /// of in_width * code_stride(in_channels) bytes; up to 64 bytes beyond its end may be read.
  void (*row_sums)(const PreparedConv& prepared, const std::uint8_t* input, std::int64_t row,
                   std::int32_t* sums);
};

/// All that were built for this architecture, best first; the last, scalar, supports everything.
std::span<const ConvKernel> conv_kernels();

/// The first that supports the convolution and asks for no more than `isa`.
const ConvKernel& choose_conv(const CodeConv& conv, Isa isa);

/// A convolution of fp32 values; per output one chain of fused multiply-adds that begins at 0, over
/// what lies inside the picture, in the order kernel row, kernel column, channel. weights:
/// [out][kernel row][kernel column][in / groups]; input: [row][column][channel]; values: one row,
/// [out_width][out_channels].
struct FloatConvKernel {
  Isa isa;
  AlignedBytes (*prepare)(const ConvShape& shape, std::span<const float> weights);
  void (*row_values)(const ConvShape& shape, const AlignedBytes& prepared, const float* input,
                     std::int64_t row, float* values);
};
/// Precondition: has_isa(isa).
const FloatConvKernel& float_conv_kernel(Isa isa);

}  // namespace uniq::kernels
