// What follows a node's core: from the fp32 value v of each channel to the node's outputs. Its
// loops are written once (epilogue.inc) and built for each instruction set, with the same bits from
// all.
//
// Codes: u = fl(fl(v / step) - offset) by a true division, clamped to 0..M, rounded half to even. A
// NaN, which finite parameters can make of infinities, becomes code 0.
#pragma once

#include <cstdint>
#include <vector>

#include "uniq/kernels/isa.h"

namespace uniq::kernels {

struct EpilogueStage {
  enum class Kind { affine, relu, relu6 };  ///< as format::Stage
  Kind kind = Kind::affine;
  const float* scale = nullptr;  ///< affine: [channels]
  const float* bias = nullptr;
};

/// One output. `bits` 0: fp32, stored densely [pixel][channel]; else codes, one byte each, with
/// code_stride(channels) bytes from pixel to pixel, of which those past the channels are left as
/// they are.
struct EpilogueOutput {
  std::vector<EpilogueStage> stages = {};
  int bits = 0;
  float step = 1.0f;
  float offset = 0.0f;  ///< z of value = step * (code + z)
};

/// Bytes from one pixel's codes to the next one's: a multiple of 4, so that four channels are read
/// as one word.
constexpr std::int64_t code_stride(std::int64_t channels) { return (channels + 3) / 4 * 4; }

struct Epilogue {
  std::int64_t channels = 0;
  /// Of a convolution: v = fma(float(sum), scale, bias) [+ residual]; other nodes: null, v is
  /// given.
  const float* scale = nullptr;
  const float* bias = nullptr;
  std::vector<EpilogueOutput> outputs = {};
};

/// Runs on `pixels` pixels. `residual`: fp32, dense, or null. outputs[i]: where the first pixel of
/// output i goes; an fp32 output may take the residual's own place, else nothing overlaps.
struct EpilogueKernel {
  Isa isa;
  /// sums: int32 [pixel][channels]; converted to fp32 by round to nearest even.
  void (*from_sums)(const Epilogue& epilogue, const std::int32_t* sums, std::int64_t pixels,
                    const float* residual, void* const* outputs);
  /// values: fp32 [pixel][channels]; goes through scale and bias too where the epilogue has them.
  void (*from_values)(const Epilogue& epilogue, const float* values, std::int64_t pixels,
                      const float* residual, void* const* outputs);
};

/// Precondition: has_isa(isa).
const EpilogueKernel& epilogue_kernel(Isa isa);

}  // namespace uniq::kernels
