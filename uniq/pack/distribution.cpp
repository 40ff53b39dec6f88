#include "uniq/pack/distribution.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace uniq::pack {
namespace {

double density(double u) {
  return std::exp(-u * u / 2) * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
}

/// The mass below u.
double below(double u) { return std::erfc(-u / std::numbers::sqrt2) / 2; }

/// P(x > threshold) of the clipped x.
double above(const Clipped& x, double threshold) {
  if (threshold < x.lower) return 1.0;
  if (threshold >= x.upper) return 0.0;
  if (x.source.variance <= 0.0) return x.source.mean > threshold ? 1.0 : 0.0;
  return below((x.source.mean - threshold) / std::sqrt(x.source.variance));
}

/// Mass and moments of the point that clipping gathers; an infinite one has no mass.
struct Point {
  double mass = 0.0;
  double first = 0.0;
  double second = 0.0;
};
Point point_at(double value, double mass) {
  return std::isinf(value) ? Point{} : Point{mass, mass * value, mass * value * value};
}

}  // namespace

// With a and b the bounds in deviations from the mean m, and P the mass between them,
//   E[x; inside]   = m P + s (density(a) - density(b))
//   E[x^2; inside] = (m^2 + s^2) P + s ((m + lower) density(a) - (m + upper) density(b)).
Moments moments_of(const Clipped& value) {
  const double m = value.source.mean;
  if (value.source.variance <= 0.0) return {std::clamp(m, value.lower, value.upper), 0.0};
  const double s = std::sqrt(value.source.variance);
  const double a = (value.lower - m) / s;
  const double b = (value.upper - m) / s;
  const double inside = below(b) - below(a);
  const double at_lower = std::isinf(a) ? 0.0 : density(a);
  const double at_upper = std::isinf(b) ? 0.0 : density(b);
  const Point low = point_at(value.lower, below(a));
  const Point high = point_at(value.upper, below(-b));
  double first = low.first + high.first + m * inside + s * (at_lower - at_upper);
  double second = low.second + high.second + (m * m + s * s) * inside;
  if (at_lower > 0.0) second += s * (m + value.lower) * at_lower;
  if (at_upper > 0.0) second -= s * (m + value.upper) * at_upper;
  return {first, std::max(second - first * first, 0.0)};
}

// The code is the number of thresholds below the value, so E[k] = sum P(x > t_k) and
// E[k^2] = sum (2k - 1) P(x > t_k).
Moments quantized_moments(const Clipped& value, double step, Grid grid, int bits) {
  const double offset = grid_offset(grid, bits);
  double first = 0.0;
  double second = 0.0;
  for (int k = 1; k <= max_code(bits); ++k) {
    const double mass = above(value, step * (k - 0.5 + offset));
    first += mass;
    second += (2 * k - 1) * mass;
  }
  return {step * (first + offset), step * step * std::max(second - first * first, 0.0)};
}

Moments largest_of(double n) {
  // The density n below(u)^(n-1) density(u), by the rectangle rule, which is exact to rounding for
  // what falls off so at both ends.
  constexpr double kEnd = 9.0;
  constexpr int kPieces = 3600;
  constexpr double kWidth = 2 * kEnd / kPieces;
  double first = 0.0;
  double second = 0.0;
  for (int i = 0; i <= kPieces; ++i) {
    const double u = -kEnd + i * kWidth;
    const double mass = n * std::pow(below(u), n - 1) * density(u) * kWidth;
    first += u * mass;
    second += u * u * mass;
  }
  return {first, second - first * first};
}

}  // namespace uniq::pack
