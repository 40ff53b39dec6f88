// The quantizing operators as compositions of ordinary tensor operations: they serve every device
// without kernels of its own, and the tests as the oracle. Arguments and errors as in ops.h.
#pragma once

#include <ATen/core/Tensor.h>

#include <tuple>

#include "uniq/grid/grid.h"

namespace uniq::quant::composite {

at::Tensor fake_quantize(const at::Tensor& x, const at::Tensor& step, int bits, Grid grid);

at::Tensor quantize(const at::Tensor& x, const at::Tensor& step, int bits, Grid grid);

std::tuple<at::Tensor, at::Tensor> fake_quantize_backward(const at::Tensor& gy, const at::Tensor& x,
                                                          const at::Tensor& step, int bits,
                                                          Grid grid, double grad_scale);

}  // namespace uniq::quant::composite
