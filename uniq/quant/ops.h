// The quantizing operators: one fused, vectorised, parallel pass each, registered with PyTorch's
// dispatcher as `uniq::...` (ops.cpp). Formulas: docs/method.md, "Forward" and "Backward".
//
//   uniq::fake_quantize(Tensor x, Tensor step, int bits, str grid, float grad_scale) -> Tensor
//   uniq::quantize(Tensor x, Tensor step, int bits, str grid) -> Tensor
//   uniq::fake_quantize_backward(Tensor gy, Tensor x, Tensor step, int bits, str grid,
//                                float grad_scale) -> (Tensor, Tensor)
//
// x: any floating type and shape; `step`: fp32, one element or one per slice of dimension 0.
// Errors (c10::Error): bits outside 1..8, an unknown grid, mid-tread at 1 bit, a step of another
// size, one that is not positive, or whose largest value is not finite; `quantize` refuses NaN.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <tuple>

#include "uniq/grid/grid.h"

namespace uniq::quant {

/// step * (k + z), of x's type and memory format; u is computed in fp32, NaN propagates. Gradients
/// are straight-through; the one to `step` is multiplied by grad_scale.
at::Tensor fake_quantize(const at::Tensor& x, const at::Tensor& step, int bits, Grid grid,
                         double grad_scale);

/// The codes k, uint8, in x's shape and memory format.
at::Tensor quantize(const at::Tensor& x, const at::Tensor& step, int bits, Grid grid);

/// Gradients to x (of its type) and to step (fp32, its shape).
std::tuple<at::Tensor, at::Tensor> fake_quantize_backward(const at::Tensor& gy, const at::Tensor& x,
                                                          const at::Tensor& step, int bits,
                                                          Grid grid, double grad_scale);

}  // namespace uniq::quant
