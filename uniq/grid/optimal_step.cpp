// With v_k = k + z the k-th value in steps, and the cells cut half-way between the values,
//   E(D)       = sum_k integral over cell k of (x - D v_k)^2 p(x) dx
//   dE/dD / -2 = sum_k v_k (m1_k - D v_k m0_k)
// where m0, m1, m2 are a cell's mass, first and second moment. The cells' edges move with D, yet
// contribute nothing: the squared error is the same on both sides of an edge.
//
// At 8 bits the two sums of the derivative agree to four digits at the optimum and there are 256
// terms, so double precision would give 11 digits of the step; long double gives them all.
#include "uniq/grid/optimal_step.h"

#include <array>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>

namespace uniq {
namespace {

using Real = long double;

constexpr Real kInfinity = std::numeric_limits<Real>::infinity();

/// Mass, first and second moment of a part of the source.
struct Moments {
  Real m0 = 0;
  Real m1 = 0;
  Real m2 = 0;
};

Moments operator-(const Moments& a, const Moments& b) {
  return {a.m0 - b.m0, a.m1 - b.m1, a.m2 - b.m2};
}

/// Of a unit Gaussian below t.
Moments gaussian_below(Real t) {
  const Real mass = std::erfc(-t / std::numbers::sqrt2_v<Real>) / 2;
  if (std::isinf(t)) return {mass, 0, mass};
  const Real density =
      std::exp(-t * t / 2) * std::numbers::inv_sqrtpi_v<Real> / std::numbers::sqrt2_v<Real>;
  return {mass, -density, mass - t * density};
}

/// Of max(x, 0), x a unit Gaussian: half of the mass sits at 0.
Moments half_normal_below(Real t) {
  if (t < 0) return {};
  const Moments below = gaussian_below(t);
  const Moments negative = gaussian_below(0);
  return {below.m0, below.m1 - negative.m1, below.m2 - negative.m2};
}

/// Of a Laplacian of variance 1, whose scale is 1 / sqrt(2).
Moments laplacian_below(Real t) {
  if (std::isinf(t)) return t < 0 ? Moments{} : Moments{1, 0, 1};
  constexpr Real kScale = 1 / std::numbers::sqrt2_v<Real>;
  const Real distance = std::abs(t);
  const Real tail = std::exp(-distance / kScale) / 2;  // the mass beyond +-distance
  const Real first = (distance + kScale) * tail;
  const Real second = (distance * distance + 2 * distance * kScale + 2 * kScale * kScale) * tail;
  if (t < 0) return {tail, -first, second};
  return {1 - tail, -first, 1 - second};
}

Moments moments_below(Source source, Real t) {
  switch (source) {
    case Source::half_normal:
      return half_normal_below(t);
    case Source::laplacian:
      return laplacian_below(t);
    case Source::gaussian:
      break;
  }
  return gaussian_below(t);
}

struct SquaredError {
  Real value = 0;
  Real slope = 0;  ///< dE/dD
};

SquaredError error_at(Source source, Grid grid, int bits, Real step) {
  SquaredError error;
  const Real offset = grid_offset(grid, bits);
  const int last = max_code(bits);
  Moments below = moments_below(source, -kInfinity);
  for (int code = 0; code <= last; ++code) {
    const Real v = code + offset;
    const Real edge = code == last ? kInfinity : step * (v + Real{0.5});
    const Moments until = moments_below(source, edge);
    const Moments cell = until - below;
    below = until;
    error.value += cell.m2 - step * v * (2 * cell.m1 - step * v * cell.m0);
    error.slope -= 2 * v * (cell.m1 - step * v * cell.m0);
  }
  return error;
}

/// Root of dE/dD between two steps at which it is negative and positive: false position, where the
/// end that stays put counts half (Illinois), so that both ends close in.
Real solve(Source source, Grid grid, int bits, Real low, Real high) {
  constexpr Real kTolerance = 1e-15L;
  constexpr int kMaxRounds = 200;
  Real low_slope = error_at(source, grid, bits, low).slope;
  Real high_slope = error_at(source, grid, bits, high).slope;
  int last_side = 0;
  for (int round = 0; round < kMaxRounds && high - low > kTolerance * high; ++round) {
    const Real step = (low * high_slope - high * low_slope) / (high_slope - low_slope);
    const Real slope = error_at(source, grid, bits, step).slope;
    if (slope == 0) return step;
    const int side = slope < 0 ? -1 : 1;
    if (side < 0) {
      low = step;
      low_slope = slope;
      if (last_side == side) high_slope /= 2;
    } else {
      high = step;
      high_slope = slope;
      if (last_side == side) low_slope /= 2;
    }
    last_side = side;
  }
  return (low + high) / 2;
}

/// A source with a mass at 0, or a grid that is not symmetric, can have more than one minimum:
/// looks at sixteen steps per octave for the lowest, then solves around it.
Real find_optimum(Source source, Grid grid, int bits) {
  constexpr int kPerOctave = 16;
  constexpr int kOctaves = 8;
  // The whole grid spans between half a deviation and 128 of them.
  const auto candidate = [bits](int i) { return std::exp2(Real(i) / kPerOctave - 1 - bits); };
  int best = 1;
  Real best_error = kInfinity;
  for (int i = 1; i < kOctaves * kPerOctave; ++i) {
    const Real error = error_at(source, grid, bits, candidate(i)).value;
    if (error >= best_error) continue;
    best_error = error;
    best = i;
  }
  return solve(source, grid, bits, candidate(best - 1), candidate(best + 1));
}

}  // namespace

double quantization_error(Source source, Grid grid, int bits, double step) {
  check_grid(grid, bits);
  return static_cast<double>(error_at(source, grid, bits, step).value);
}

double optimal_step(Source source, Grid grid, int bits) {
  check_grid(grid, bits);
  constexpr std::size_t kSources = 3;
  constexpr std::size_t kGrids = 3;
  // 0 means not solved yet; two threads that come at once find the same number.
  static std::array<std::atomic<double>, kSources * kGrids * kMaxBits> solved{};
  const auto row = static_cast<std::size_t>(source) * kGrids + static_cast<std::size_t>(grid);
  std::atomic<double>& known = solved[row * kMaxBits + static_cast<std::size_t>(bits - 1)];
  const double before = known.load(std::memory_order_relaxed);
  if (before > 0) return before;
  const double step = static_cast<double>(find_optimum(source, grid, bits));
  known.store(step, std::memory_order_relaxed);
  return step;
}

}  // namespace uniq
