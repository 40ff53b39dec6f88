// The unit of work of the inner loops of convolutions. Numbers and pointers alone, and no inline
// function: files built for a newer instruction set include this, and an inline function that they
// shared with the rest could be linked into it in their build.
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

/// A run of a direct convolution of codes, for a block of output channels that share their input.
/// A sum is (raw << shift) + per_code * (sum of the window's codes) + correction, modulo 2^32, with
/// raw the sum over the taps inside of stored weight * code.
struct CodeRun {
  Run run;
  const std::uint8_t* input;        ///< first output, first tap inside, first channel
  const void* weights;              ///< of the first tap inside
  std::int64_t in_channels;         ///< of a tap
  std::int64_t out_channels;        ///< of this block
  const std::int32_t* corrections;  ///< [out_channels], or null
  int shift;
  std::uint32_t per_code;
  std::int32_t* sums;       ///< first output, first channel of the block
  std::int64_t sums_pixel;  ///< from an output's sums to the next one's
};

/// The same of fp32 values: value = the chain of fused multiply-adds.
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
