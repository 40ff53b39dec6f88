#include "uniq/grid/optimal_step.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numbers>
#include <string>
#include <thread>
#include <vector>

#include "uniq/base/error.h"

namespace uniq {
namespace {

/// docs/method.md, "First values of the steps".
struct Row {
  int bits;
  double gaussian;
  double half_normal;
  double laplacian;
};
constexpr std::array<Row, 8> kTable = {{
    {1, 1.5957691216, 1.2240063619, 1.4142135624},
    {2, 0.9956866859, 0.6507697040, 1.0873926893},
    {3, 0.5860194414, 0.3534113156, 0.7309331825},
    {4, 0.3352006122, 0.1932485244, 0.4609953643},
    {5, 0.1881387903, 0.1054875861, 0.2799885474},
    {6, 0.1040630094, 0.0572612807, 0.1656807249},
    {7, 0.0568676724, 0.0308700860, 0.0960989207},
    {8, 0.0307623876, 0.0165281528, 0.0548443383},
}};

/// The errors, each with half a unit of its last printed digit.
struct ErrorRow {
  int bits;
  double gaussian;
  double gaussian_half_unit;
  double laplacian;
  double laplacian_half_unit;
};
constexpr std::array<ErrorRow, 8> kErrors = {{
    {1, .36338, .5e-5, .5, 1e-12},
    {2, .118846, .5e-6, .196302, .5e-6},
    {3, .0374397, .5e-7, .0717478, .5e-7},
    {4, .0115429, .5e-7, .0253510, .5e-7},
    {5, 3.495e-3, .5e-6, 8.713e-3, .5e-6},
    {6, 1.040e-3, .5e-6, 2.913e-3, .5e-6},
    {7, 3.043e-4, .5e-7, 9.486e-4, .5e-7},
    {8, 8.769e-5, .5e-8, 3.014e-4, .5e-7},
}};

constexpr double kHalfUnit = 0.5e-10;

TEST(OptimalStep, AgreesWithTheTableToEveryDigit) {
  for (const Row& row : kTable) {
    SCOPED_TRACE(row.bits);
    EXPECT_NEAR(optimal_step(Source::gaussian, Grid::mid_rise, row.bits), row.gaussian, kHalfUnit);
    EXPECT_NEAR(optimal_step(Source::half_normal, Grid::unsigned_, row.bits), row.half_normal,
                kHalfUnit);
    EXPECT_NEAR(optimal_step(Source::laplacian, Grid::mid_rise, row.bits), row.laplacian,
                kHalfUnit);
  }
}

TEST(OptimalStep, ErrorsAgreeWithTheTableToEveryDigit) {
  for (const ErrorRow& row : kErrors) {
    SCOPED_TRACE(row.bits);
    const auto error = [&row](Source source) {
      return quantization_error(source, Grid::mid_rise, row.bits,
                                optimal_step(source, Grid::mid_rise, row.bits));
    };
    EXPECT_NEAR(error(Source::gaussian), row.gaussian, row.gaussian_half_unit);
    EXPECT_NEAR(error(Source::laplacian), row.laplacian, row.laplacian_half_unit);
  }
}

TEST(OptimalStep, OneBitClosedForms) {
  // Values +-D/2 are best at +-E|x|.
  EXPECT_NEAR(optimal_step(Source::gaussian, Grid::mid_rise, 1),
              2 * std::sqrt(2 / std::numbers::pi), 1e-14);
  EXPECT_NEAR(optimal_step(Source::laplacian, Grid::mid_rise, 1), std::numbers::sqrt2, 1e-14);
  EXPECT_NEAR(quantization_error(Source::gaussian, Grid::mid_rise, 1,
                                 optimal_step(Source::gaussian, Grid::mid_rise, 1)),
              1 - 2 / std::numbers::pi, 1e-14);
}

/// The paper's claim, to the printed percent. (The asymmetric grid of codes -2^(b-1)..2^(b-1)-1.)
TEST(OptimalStep, MidRiseBeatsMidTreadOnAGaussian) {
  const auto error = [](Grid grid, int bits) {
    return quantization_error(Source::gaussian, grid, bits,
                              optimal_step(Source::gaussian, grid, bits));
  };
  constexpr std::array<int, 3> kPercent = {20, 8, 3};
  for (int bits = 2; bits <= 4; ++bits) {
    const double gain = 1 - error(Grid::mid_rise, bits) / error(Grid::mid_tread, bits);
    EXPECT_EQ(std::lround(100 * gain), kPercent[static_cast<std::size_t>(bits - 2)]) << bits;
  }
}

struct StepCase {
  Source source;
  Grid grid;
  int bits;
};

std::vector<StepCase> all_step_cases() {
  std::vector<StepCase> cases;
  for (const Source source : {Source::gaussian, Source::half_normal, Source::laplacian}) {
    for (const Grid grid : {Grid::mid_rise, Grid::unsigned_, Grid::mid_tread}) {
      for (int bits = grid == Grid::mid_tread ? 2 : 1; bits <= 8; ++bits) {
        cases.push_back({source, grid, bits});
      }
    }
  }
  return cases;
}

std::string trace(const StepCase& c) {
  return "source " + std::to_string(static_cast<int>(c.source)) + ", " +
         std::string(grid_name(c.grid)) + ", bits " + std::to_string(c.bits);
}

double density(Source source, double x) {
  if (source == Source::laplacian)
    return std::exp(-std::numbers::sqrt2 * std::abs(x)) / std::numbers::sqrt2;
  return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
}

/// The error by its definition: quantize, compare, integrate (midpoint rule). Independent of the
/// cells and moments of the code under test.
double error_by_quadrature(const StepCase& c, double step) {
  constexpr double kEnd = 30;
  constexpr int kPoints = 600000;
  constexpr double kWidth = 2 * kEnd / kPoints;
  const double offset = grid_offset(c.grid, c.bits);
  const double last = max_code(c.bits);
  double sum = 0;
  for (int i = 0; i < kPoints; ++i) {
    const double x = -kEnd + (i + 0.5) * kWidth;
    const double seen = c.source == Source::half_normal ? std::max(x, 0.0) : x;
    const double code = std::nearbyint(std::min(std::max(seen / step - offset, 0.0), last));
    const double difference = seen - step * (code + offset);
    sum += difference * difference * density(c.source, x);
  }
  return sum * kWidth;
}

TEST(QuantizationError, AgreesWithQuadrature) {
  for (const StepCase& c : all_step_cases()) {
    if (c.bits != 1 && c.bits != 3 && c.bits != 8) continue;
    for (const double factor : {0.6, 1.0, 1.7}) {
      const double step = factor * optimal_step(c.source, c.grid, c.bits);
      const double expected = error_by_quadrature(c, step);
      // The midpoint rule's error: h^2/24 times the change of the derivative, 1e-10 * 2 / 24 * O(1)
      // at the kinks; far below a part in a million of errors that are at least 1e-5.
      EXPECT_NEAR(quantization_error(c.source, c.grid, c.bits, step), expected, 1e-6 * expected)
          << trace(c) << " factor " << factor;
    }
  }
}

TEST(OptimalStep, IsTheLowestErrorFarAndNear) {
  for (const StepCase& c : all_step_cases()) {
    SCOPED_TRACE(trace(c));
    const double best = optimal_step(c.source, c.grid, c.bits);
    const double least = quantization_error(c.source, c.grid, c.bits, best);
    for (int percent = -350; percent <= 350; ++percent) {
      const double factor = std::pow(1.01, percent);  // from 1 / 32 to 32
      if (std::abs(factor - 1) < 1e-3) continue;
      ASSERT_GT(quantization_error(c.source, c.grid, c.bits, factor * best), least) << factor;
    }
    for (const double factor : {1 - 1e-4, 1 + 1e-4}) {
      EXPECT_GT(quantization_error(c.source, c.grid, c.bits, factor * best), least) << factor;
    }
  }
}

/// A grid that starts at 0 gives the half of a symmetric source the same condition: the negative
/// half adds no term that depends on the step.
TEST(OptimalStep, UnsignedGridSeesOnlyThePositiveHalf) {
  for (int bits = 1; bits <= 8; ++bits) {
    EXPECT_DOUBLE_EQ(optimal_step(Source::gaussian, Grid::unsigned_, bits),
                     optimal_step(Source::half_normal, Grid::unsigned_, bits));
  }
}

TEST(OptimalStep, RefusesBadBits) {
  EXPECT_THROW(optimal_step(Source::gaussian, Grid::mid_rise, 0), UsageError);
  EXPECT_THROW(optimal_step(Source::gaussian, Grid::mid_rise, 9), UsageError);
  EXPECT_THROW(optimal_step(Source::gaussian, Grid::mid_tread, 1), UsageError);
  EXPECT_THROW(quantization_error(Source::gaussian, Grid::mid_rise, 9, 1.0), UsageError);
}

TEST(OptimalStep, ThreadsFindTheSame) {
  std::vector<double> found(8);
  {
    std::vector<std::jthread> threads;
    for (double& step : found) {
      threads.emplace_back([&step] { step = optimal_step(Source::laplacian, Grid::mid_rise, 5); });
    }
  }
  EXPECT_THAT(found, ::testing::Each(optimal_step(Source::laplacian, Grid::mid_rise, 5)));
}

}  // namespace
}  // namespace uniq
