// What a convolution of codes is.
#pragma once

#include <cstdint>

#include "uniq/grid/grid.h"

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
/// integer(weight code) * integer(activation code) (uniq::code_integer); it fits int32, or the
/// convolution is one for sums64.h. Where the window lies outside the picture, pad_code stands, or
/// nothing (-1).
struct CodeConv {
  ConvShape shape;
  int weight_bits = 8;
  Grid weight_grid = Grid::mid_rise;
  int activation_bits = 8;
  Grid activation_grid = Grid::unsigned_;
  int pad_code = -1;
};

}  // namespace uniq::kernels
