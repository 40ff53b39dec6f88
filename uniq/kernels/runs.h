// The unit of work of the inner loops of fp32 convolutions. Numbers and pointers alone, and no
// inline function: files built for a newer instruction set include this, and an inline function
// that they shared with the rest could be linked into it in their build.
#pragma once

#include <cstdint>

namespace uniq::kernels {

/// Neighbouring outputs of one row whose windows have the same taps inside the picture. Strides are
/// in elements.
struct Run {
  std::int64_t pixels;        ///< outputs
  std::int64_t rows;          ///< of taps inside
  std::int64_t columns;       ///< of taps inside
  std::int64_t input_row;     ///< from a tap's input to that of the tap below
  std::int64_t input_column;  ///< to that of the next tap
  std::int64_t input_pixel;   ///< to the same tap's of the next output
  std::int64_t weights_row;   ///< from a tap's weights to those of the tap below
};

/// A run of a convolution of fp32 values, for a block of output channels that share their input:
/// value = the chain of fused multiply-adds.
struct FloatRun {
  Run run;
  const float* input;
  const float* weights;
  std::int64_t in_channels;
  std::int64_t out_channels;
  float* values;
  std::int64_t values_pixel;
};

}  // namespace uniq::kernels
