// Checks that the operators share. They throw c10::Error, as PyTorch's operators do.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string_view>

#include "uniq/grid/grid.h"

namespace uniq::quant {

/// The grid of that name, having checked that it exists with so many bits.
Grid checked_grid(std::string_view name, std::int64_t bits);

/// Types and sizes: x floating, step fp32 with one element or one per slice of dimension 0.
void check_shapes(const at::Tensor& x, const at::Tensor& step);

/// Every element of `step` is positive, and the largest value of its grid finite (is_usable_step).
/// Waits for the device where that is not the CPU.
void check_step(const at::Tensor& step, int bits, Grid grid);

}  // namespace uniq::quant
