// What a network's values are likely to be before anybody has seen one: the statistics that random
// networks get. Every channel is a Gaussian, and values of different channels and positions are
// taken as independent, which holds on average where the weights between them are random.
#pragma once

#include <limits>
#include <vector>

#include "uniq/grid/grid.h"

namespace uniq::pack {

struct Moments {
  double mean = 0.0;
  double variance = 0.0;
  double square() const { return variance + mean * mean; }  ///< E[x^2]
};

/// A Gaussian, then clipped: ReLU clips at 0 from below, ReLU6 at 6 from above too.
struct Clipped {
  Moments source;
  double lower = -std::numeric_limits<double>::infinity();
  double upper = std::numeric_limits<double>::infinity();
};

/// Of the clipped values.
Moments moments_of(const Clipped& value);

/// Of what is left when they are put on a grid.
Moments quantized_moments(const Clipped& value, double step, Grid grid, int bits);

/// Of the largest of n independent standard Gaussians, n at least 1.
Moments largest_of(double n);

}  // namespace uniq::pack
