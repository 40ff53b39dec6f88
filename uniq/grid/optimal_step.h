// The steps that minimise the mean squared quantization error of a unit-variance source, solved
// rather than tabulated: dE/dstep = 0 on the closed form of each cell's moments.
#pragma once

#include "uniq/grid/grid.h"

namespace uniq {

enum class Source {
  gaussian,     ///< unit variance
  half_normal,  ///< max(x, 0) of a unit Gaussian x; in units of the deviation before the ReLU
  laplacian,    ///< unit variance
};

/// Mean squared error of quantizing the source with this step; bits in 1..8.
double quantization_error(Source source, Grid grid, int bits, double step);

/// argmin over step of quantization_error, to 1e-12 relative. Computed once per (source, grid,
/// bits) and remembered; safe to call from several threads.
double optimal_step(Source source, Grid grid, int bits);

}  // namespace uniq
