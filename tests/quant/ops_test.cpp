// The fused CPU operators against the composite and against the scalar truth (scalar.h).
//
// Forward and gx must agree bit for bit: the composite divides, takes off the offset (exact in
// fp32), rounds and multiplies in fp32 too, each a correctly rounded operation on the same
// operands.
#include "uniq/quant/ops.h"

#include <gtest/gtest.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <limits>
#include <vector>

#include "tests/quant/ops_fixture.h"
#include "tests/support/tensors.h"
#include "tests/support/torch_random_test.h"
#include "uniq/quant/composite.h"
#include "uniq/quant/loops.h"

namespace uniq::quant {
namespace {

using test::all_grids;
using test::border_sizes;
using test::float_types;
using test::GridCase;
using test::kHalfUlp;
using test::layouts_of;
using test::quantize_scalar;
using test::same_bits;
using test::spread_values;
using torch::Tensor;

/// [3] steps of different magnitudes, none a power of two.
Tensor three_steps() { return torch::tensor({0.37f, 1.9f, 0.0123f}); }

/// Values for which slice i is spread over the grid of step i.
Tensor spread_over(const Tensor& steps, std::int64_t slice, const GridCase& c) {
  std::vector<Tensor> rows;
  for (std::int64_t i = 0; i < steps.numel(); ++i)
    rows.push_back(spread_values({slice}, steps[i].item<float>(), c));
  return torch::stack(rows);
}

/// What the scalar truth says of a layer, or of slices with a step each.
struct Truth {
  Tensor y, codes, inside;    // of x's shape
  Tensor gstep, gstep_error;  // fp64, of steps' shape; the error that fp32 arithmetic may make
};

Truth truth_of(const Tensor& x, const Tensor& gy, const Tensor& steps, const GridCase& c) {
  const Tensor values = x.to(torch::kFloat).contiguous();
  const Tensor gradients = gy.to(torch::kDouble).contiguous();
  Truth t{torch::empty(x.sizes()), torch::empty(x.sizes(), torch::kByte),
          torch::empty(x.sizes(), torch::kBool), torch::zeros(steps.sizes(), torch::kDouble),
          torch::zeros(steps.sizes(), torch::kDouble)};
  const std::int64_t slice = steps.numel() == 0 ? 0 : x.numel() / steps.numel();
  // Per block of kBlock elements: additions in each of 16 lanes, then of the lanes; the product; a
  // gradient in double that is rounded to fp32; the final rounding.
  const std::int64_t per_lane = (std::min(slice, kBlock) + 15) / 16;
  const double roundings = static_cast<double>(per_lane + 16 + 1 + 1 + 1);
  const float* x_data = values.const_data_ptr<float>();
  const double* gy_data = gradients.const_data_ptr<double>();
  float* y = t.y.data_ptr<float>();
  auto* codes = t.codes.data_ptr<std::uint8_t>();
  bool* inside = t.inside.data_ptr<bool>();
  for (std::int64_t s = 0; s < steps.numel(); ++s) {
    const auto step = steps.flatten()[s].item<float>();
    double sum = 0.0, magnitude = 0.0, slope_errors = 0.0;
    for (std::int64_t i = s * slice; i < (s + 1) * slice; ++i) {
      const auto p = quantize_scalar(x_data[i], step, c.grid, c.bits);
      const double g = gy_data[i];
      y[i] = p.value;
      codes[i] = static_cast<std::uint8_t>(p.code);
      inside[i] = p.inside;
      sum += g * p.slope;
      magnitude += std::abs(g * p.slope);
      slope_errors += std::abs(g) * p.slope_error;
    }
    t.gstep.data_ptr<double>()[s] = sum;
    t.gstep_error.data_ptr<double>()[s] = 1.01 * (roundings * kHalfUlp * magnitude + slope_errors);
  }
  return t;
}

void expect_forward(const Tensor& x, const Tensor& steps, const GridCase& c) {
  const Truth truth = truth_of(x, torch::zeros_like(x), steps, c);
  const Tensor y = fake_quantize(x, steps, c.bits, c.grid, 1.0);
  EXPECT_TRUE(same_bits(y, truth.y.to(x.scalar_type())));
  EXPECT_TRUE(same_bits(y, composite::fake_quantize(x, steps, c.bits, c.grid)));
  const Tensor codes = quantize(x, steps, c.bits, c.grid);
  EXPECT_TRUE(same_bits(codes, truth.codes));
  EXPECT_TRUE(same_bits(codes, composite::quantize(x, steps, c.bits, c.grid)));
}

void expect_backward(const Tensor& gy, const Tensor& x, const Tensor& steps, const GridCase& c,
                     double grad_scale = 1.0) {
  const Truth truth = truth_of(x, gy, steps, c);
  const auto [gx, gstep] = fake_quantize_backward(gy, x, steps, c.bits, c.grid, grad_scale);
  const auto [composite_gx, composite_gstep] =
      composite::fake_quantize_backward(gy, x, steps, c.bits, c.grid, grad_scale);
  EXPECT_TRUE(same_bits(gx, torch::where(truth.inside, gy, torch::zeros_like(gy))));
  EXPECT_TRUE(same_bits(gx, composite_gx));
  EXPECT_EQ(gstep.scalar_type(), torch::kFloat);
  const Tensor allowed = truth.gstep_error * grad_scale;
  const Tensor expected = truth.gstep * grad_scale;
  for (const Tensor& got : {gstep, composite_gstep}) {
    ASSERT_EQ(got.sizes(), steps.sizes());
    EXPECT_TRUE(((got.to(torch::kDouble) - expected).abs() <= allowed).all().item<bool>())
        << got << "\nagainst\n"
        << expected << "\nallowed\n"
        << allowed;
  }
}

using Ops = testing::TorchRandomTest;

TEST_F(Ops, ForwardEqualsTheTruthAtAllBordersOfVectorsAndBlocks) {
  for (const GridCase& c : all_grids())
    for (const std::int64_t size : border_sizes())
      for (const auto type : float_types()) {
        SCOPED_TRACE(c.text() + ", size " + std::to_string(size) + ", " + toString(type));
        const Tensor one = torch::tensor({0.37f});
        expect_forward(spread_values({size}, 0.37f, c).to(type), one, c);
        expect_forward(spread_over(three_steps(), size, c).to(type), three_steps(), c);
      }
}

TEST_F(Ops, BackwardEqualsTheTruthAtAllBordersOfVectorsAndBlocks) {
  for (const GridCase& c : all_grids())
    for (const std::int64_t size : border_sizes())
      for (const auto type : float_types()) {
        SCOPED_TRACE(c.text() + ", size " + std::to_string(size) + ", " + toString(type));
        const Tensor x = spread_values({size}, 0.37f, c).to(type);
        const auto options = torch::dtype(type);
        expect_backward(torch::randn({size}, options), x, torch::tensor({0.37f}), c);
        const Tensor rows = spread_over(three_steps(), size, c).to(type);
        expect_backward(torch::randn({3, size}, options), rows, three_steps(), c, 0.3);
      }
}

TEST_F(Ops, MemoryLayoutChangesNothing) {
  for (const GridCase& c : all_grids())
    for (const auto type : float_types())
      for (const Tensor& steps : {torch::tensor({0.37f}), three_steps()}) {
        const Tensor x = steps.numel() == 1
                             ? spread_values({3, 5, 7, 9}, 0.37f, c).to(type)
                             : spread_over(steps, 5 * 7 * 9, c).reshape({3, 5, 7, 9}).to(type);
        const Tensor gy = torch::randn({3, 5, 7, 9}, torch::dtype(type));
        for (const auto& [x_name, laid_out] : layouts_of(x)) {
          SCOPED_TRACE(c.text() + ", " + toString(type) + ", steps " +
                       std::to_string(steps.numel()) + ", x " + x_name);
          expect_forward(laid_out, steps, c);
          for (const auto& [gy_name, gradient] : layouts_of(gy)) {
            SCOPED_TRACE("gradient " + gy_name);
            expect_backward(gradient, laid_out, steps, c);
          }
        }
      }
}

TEST_F(Ops, ResultsHaveTheMemoryFormatOfTheInput) {
  const GridCase c{Grid::mid_rise, 2};
  const Tensor x = torch::randn({3, 5, 7, 9});
  for (const Tensor& steps : {torch::tensor({0.37f}), three_steps()})
    for (const auto& [name, laid_out] : layouts_of(x)) {
      SCOPED_TRACE(name + ", steps " + std::to_string(steps.numel()));
      const auto expected = torch::empty_like(laid_out).strides().vec();
      EXPECT_EQ(fake_quantize(laid_out, steps, c.bits, c.grid, 1.0).strides().vec(), expected);
      EXPECT_EQ(quantize(laid_out, steps, c.bits, c.grid).strides().vec(), expected);
      const Tensor gy = torch::randn({3, 5, 7, 9});
      const auto [gx, gstep] = fake_quantize_backward(gy, laid_out, steps, c.bits, c.grid, 1.0);
      EXPECT_EQ(gx.strides().vec(), expected);
    }
}

TEST_F(Ops, TakesAnyNumberOfDimensions) {
  const GridCase c{Grid::mid_rise, 3};
  const Tensor one = torch::tensor({0.37f});
  expect_forward(torch::tensor(0.5f), one, c);
  expect_backward(torch::tensor(2.0f), torch::tensor(0.5f), one, c);
  expect_forward(torch::tensor(0.5f), torch::tensor(0.37f), c);
  const Tensor vector = torch::randn({3});
  expect_forward(vector, three_steps(), c);
  expect_backward(torch::randn({3}), vector, three_steps(), c);
  const Tensor cube = torch::randn({3, 2, 5, 4, 6}).contiguous(at::MemoryFormat::ChannelsLast3d);
  expect_forward(cube, three_steps(), c);
  expect_backward(torch::randn({3, 2, 5, 4, 6}), cube, three_steps(), c);
  const Tensor expanded = torch::randn({3, 1}).expand({3, 50});
  expect_forward(expanded, three_steps(), c);
  expect_backward(torch::randn({1, 1}).expand({3, 50}), expanded, three_steps(), c);
  // Steps in the shape in which kernel-wise steps broadcast against weights.
  const Tensor shaped = three_steps().reshape({3, 1, 1, 1});
  expect_backward(torch::randn({3, 2, 3, 3}), torch::randn({3, 2, 3, 3}), shaped, c);
}

TEST_F(Ops, EmptyTensorsGiveEmptyResultsAndNoGradientToTheStep) {
  const GridCase c{Grid::unsigned_, 2};
  for (const Tensor& steps : {torch::tensor({0.37f}), three_steps()}) {
    const Tensor x = torch::empty({3, 0, 4});
    expect_forward(x, steps, c);
    expect_backward(x, x, steps, c);
    const auto [gx, gstep] = fake_quantize_backward(x, x, steps, c.bits, c.grid, 1.0);
    EXPECT_TRUE(torch::equal(gstep, torch::zeros_like(steps)));
  }
  const Tensor no_slices = torch::empty({0, 4});
  expect_forward(no_slices, torch::tensor({0.37f}), c);
  expect_backward(no_slices, no_slices, torch::tensor({0.37f}), c);
  expect_forward(no_slices, torch::empty({0}), c);
  expect_backward(no_slices, no_slices, torch::empty({0}), c);
}

TEST_F(Ops, TiesGoToTheEvenCode) {
  const auto codes = [](Grid grid, int bits, std::vector<float> x) {
    const Tensor k = quantize(torch::tensor(x), torch::tensor({1.0f}), bits, grid);
    return std::vector<int>(k.const_data_ptr<std::uint8_t>(),
                            k.const_data_ptr<std::uint8_t>() + k.numel());
  };
  EXPECT_EQ(codes(Grid::unsigned_, 2, {0.5f, 1.5f, 2.5f, 3.5f}), (std::vector{0, 2, 2, 3}));
  EXPECT_EQ(codes(Grid::mid_rise, 2, {-1.0f, 0.0f, 1.0f}), (std::vector{0, 2, 2}));
  EXPECT_EQ(codes(Grid::mid_rise, 1, {0.0f}), (std::vector{0}));
  EXPECT_EQ(codes(Grid::mid_tread, 3, {-3.5f, -0.5f, 0.5f, 1.5f}), (std::vector{0, 4, 4, 6}));
  EXPECT_EQ(codes(Grid::unsigned_, 8, {253.5f, 254.5f}), (std::vector{254, 254}));
}

TEST_F(Ops, InfinitiesClampToTheEndsAndNanPropagates) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const Tensor step = torch::tensor({0.5f});
  for (const GridCase& c : all_grids())
    for (const auto type : float_types())
      for (const std::int64_t position : {0, 15, 16, 20}) {
        SCOPED_TRACE(c.text() + ", " + toString(type) + ", " + std::to_string(position));
        Tensor x = torch::zeros({21}, torch::dtype(type));
        x[1] = kInf;
        x[2] = -kInf;
        const Tensor codes = quantize(x, step, c.bits, c.grid);
        EXPECT_EQ(codes[1].item<int>(), test::largest_code(c.bits));
        EXPECT_EQ(codes[2].item<int>(), 0);
        x[position] = kNan;
        const Tensor y = fake_quantize(x, step, c.bits, c.grid, 1.0);
        EXPECT_EQ(y.isnan().sum().item<int>(), 1);
        EXPECT_TRUE(y[position].isnan().item<bool>());
        EXPECT_TRUE(same_bits(y, composite::fake_quantize(x, step, c.bits, c.grid)));
        const auto [gx, gstep] =
            fake_quantize_backward(torch::ones_like(x), x, step, c.bits, c.grid, 1.0);
        EXPECT_EQ(gx[position].item<double>(), 0.0);
        EXPECT_TRUE(gstep.isnan().item<bool>());
        const auto [composite_gx, composite_gstep] =
            composite::fake_quantize_backward(torch::ones_like(x), x, step, c.bits, c.grid, 1.0);
        EXPECT_TRUE(same_bits(gx, composite_gx));
        EXPECT_TRUE(composite_gstep.isnan().item<bool>());
      }
}

TEST_F(Ops, TheNumberOfThreadsChangesNoBit) {
  const int threads = at::get_num_threads();
  const GridCase c{Grid::mid_rise, 4};
  for (const Tensor& steps : {torch::tensor({0.37f}), three_steps()})
    for (const auto type : float_types()) {
      const Tensor x = spread_over(three_steps(), 50'001, c).to(type);
      const Tensor gy = torch::randn(x.sizes(), torch::dtype(type));
      std::vector<Tensor> results;
      for (const int count : {1, 2, 3}) {
        at::set_num_threads(count);
        const auto [gx, gstep] = fake_quantize_backward(gy, x, steps, c.bits, c.grid, 0.3);
        const std::vector<Tensor> now = {fake_quantize(x, steps, c.bits, c.grid, 1.0),
                                         quantize(x, steps, c.bits, c.grid), gx, gstep};
        if (results.empty()) results = now;
        for (std::size_t i = 0; i < now.size(); ++i)
          EXPECT_TRUE(same_bits(now[i], results[i])) << count << " threads, result " << i;
      }
    }
  at::set_num_threads(threads);
}

}  // namespace
}  // namespace uniq::quant
