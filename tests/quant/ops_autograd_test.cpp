// Gradients as autograd gives them, against the straight-through rule in scalar code (scalar.h).
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <cmath>
#include <string>

#include "tests/quant/ops_fixture.h"
#include "tests/support/tensors.h"
#include "tests/support/torch_random_test.h"

namespace uniq::quant {
namespace {

using test::all_grids;
using test::call_backward;
using test::call_fake_quantize;
using test::call_quantize;
using test::GridCase;
using test::kHalfUlp;
using test::same_bits;
using torch::Tensor;

constexpr float kStep = 0.37f;

struct Leaves {
  Tensor x, step;
};

class Autograd : public testing::TorchRandomTest {
 protected:
  /// The same at each call.
  Leaves leaves(const GridCase& c, bool x_learned = true, bool step_learned = true) const {
    torch::manual_seed(seed_);
    return {test::spread_values({4, 3, 5, 5}, kStep, c).set_requires_grad(x_learned),
            torch::tensor({kStep}).set_requires_grad(step_learned)};
  }
};

TEST_F(Autograd, FollowsTheStraightThroughRule) {
  for (const GridCase& c : all_grids()) {
    SCOPED_TRACE(c.text());
    const Leaves l = leaves(c);
    const Tensor gy = torch::randn(l.x.sizes());
    const double grad_scale = 0.0173;
    call_fake_quantize(l.x, l.step, c.bits, c.grid_text(), grad_scale).backward(gy);
    double sum = 0.0, allowed = 0.0;
    const std::int64_t per_lane = (l.x.numel() + 15) / 16;
    for (std::int64_t i = 0; i < l.x.numel(); ++i) {
      const auto p = test::quantize_scalar(l.x.const_data_ptr<float>()[i], kStep, c.grid, c.bits);
      const float g = gy.const_data_ptr<float>()[i];
      EXPECT_EQ(l.x.grad().flatten()[i].item<float>(), p.inside ? g : 0.0f) << i;
      sum += g * p.slope;
      // Additions in a lane and of the 16 lanes, the product, the result; and the slope's own.
      allowed += std::abs(g * p.slope) * static_cast<double>(per_lane + 18) * kHalfUlp +
                 std::abs(g) * p.slope_error;
    }
    EXPECT_NEAR(l.step.grad().item<double>(), grad_scale * sum, 1.01 * grad_scale * allowed);
  }
}

TEST_F(Autograd, GradientToTheStepIsMultipliedByGradScale) {
  const GridCase c{Grid::mid_rise, 2};
  const Tensor gy = torch::randn({4, 3, 5, 5});
  const auto gradients = [&](double grad_scale) {
    const Leaves l = leaves(c);
    call_fake_quantize(l.x, l.step, c.bits, c.grid_text(), grad_scale).backward(gy);
    return std::pair(l.x.grad(), l.step.grad());
  };
  const auto [gx, gstep] = gradients(1.0);
  const auto [quarter_gx, quarter_gstep] = gradients(0.25);
  const auto [none_gx, none_gstep] = gradients(0.0);
  ASSERT_NE(gstep.item<float>(), 0.0f);
  EXPECT_TRUE(same_bits(quarter_gstep, gstep * 0.25));
  EXPECT_EQ(none_gstep.item<float>(), 0.0f);
  EXPECT_TRUE(same_bits(quarter_gx, gx));
  EXPECT_TRUE(same_bits(none_gx, gx));
}

TEST_F(Autograd, GoesOnlyWhereItIsAskedFor) {
  const GridCase c{Grid::unsigned_, 3};
  const Leaves neither = leaves(c, false, false);
  EXPECT_FALSE(call_fake_quantize(neither.x, neither.step, c.bits, c.grid_text()).requires_grad());

  const Leaves only_x = leaves(c, true, false);
  call_fake_quantize(only_x.x, only_x.step, c.bits, c.grid_text()).sum().backward();
  EXPECT_TRUE(only_x.x.grad().defined());
  EXPECT_FALSE(only_x.step.grad().defined());

  const Leaves only_step = leaves(c, false, true);
  call_fake_quantize(only_step.x, only_step.step, c.bits, c.grid_text()).sum().backward();
  EXPECT_FALSE(only_step.x.grad().defined());
  EXPECT_TRUE(only_step.step.grad().defined());

  const Leaves both = leaves(c);
  call_fake_quantize(both.x, both.step, c.bits, c.grid_text()).sum().backward();
  EXPECT_TRUE(same_bits(both.x.grad(), only_x.x.grad()));
  EXPECT_TRUE(same_bits(both.step.grad(), only_step.step.grad()));
  EXPECT_FALSE(call_quantize(both.x, both.step, c.bits, c.grid_text()).requires_grad());
}

TEST_F(Autograd, NoneIsRecordedUnderNoGradOrInInferenceMode) {
  const GridCase c{Grid::mid_rise, 2};
  const Leaves l = leaves(c);
  const Tensor recorded = call_fake_quantize(l.x, l.step, c.bits, c.grid_text());
  EXPECT_TRUE(recorded.requires_grad());
  {
    const torch::NoGradGuard no_grad;
    const Tensor y = call_fake_quantize(l.x, l.step, c.bits, c.grid_text());
    EXPECT_FALSE(y.requires_grad());
    EXPECT_TRUE(same_bits(y, recorded.detach()));
  }
  {
    const c10::InferenceMode inference;
    const Tensor y = call_fake_quantize(l.x, l.step, c.bits, c.grid_text());
    EXPECT_FALSE(y.requires_grad());
    EXPECT_TRUE(same_bits(y, recorded.detach()));
  }
}

TEST_F(Autograd, TakesGradientsInAnyMemoryFormat) {
  const GridCase c{Grid::mid_rise, 2};
  const Tensor gradient = torch::randn({4, 3, 5, 5});
  Tensor expected_gx, expected_gstep;
  for (const auto& [x_name, x] : test::layouts_of(leaves(c).x.detach()))
    for (const auto& [name, gy] : test::layouts_of(gradient)) {
      SCOPED_TRACE("x " + x_name + ", gradient " + name);
      const Tensor leaf = x.detach().requires_grad_();
      const Tensor step = torch::tensor({kStep}).requires_grad_();
      call_fake_quantize(leaf, step, c.bits, c.grid_text()).backward(gy);
      if (!expected_gx.defined()) {
        expected_gx = leaf.grad();
        expected_gstep = step.grad();
      }
      EXPECT_TRUE(same_bits(leaf.grad(), expected_gx));
      // The order of summation follows memory: |terms| <= 1.5 |gy|, 300 elements in 16 lanes.
      const double allowed =
          1.01 * 2 * (19 + 18) * kHalfUlp * 1.5 * gradient.abs().sum().item<double>();
      EXPECT_TRUE(test::within(step.grad(), expected_gstep, allowed));
    }
}

TEST_F(Autograd, OneStepPerSliceEqualsTheSlicesOneByOne) {
  const GridCase c{Grid::mid_rise, 2};
  const Tensor x = torch::randn({3, 8193});
  const Tensor gy = torch::randn({3, 8193});
  const Tensor steps = torch::tensor({0.37f, 1.9f, 0.0123f});
  const Tensor leaf = x.clone().requires_grad_();
  const Tensor step_leaf = steps.clone().requires_grad_();
  const Tensor y = call_fake_quantize(leaf, step_leaf, c.bits, c.grid_text(), 0.5);
  y.backward(gy);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(same_bits(y.detach()[i], call_fake_quantize(x[i], steps[i], 2, "mid-rise")));
    const auto [gx, gstep] = call_backward(gy[i], x[i], steps[i], 2, "mid-rise", 0.5);
    EXPECT_TRUE(same_bits(leaf.grad()[i], gx));
    EXPECT_TRUE(same_bits(step_leaf.grad()[i], gstep));
  }
}

}  // namespace
}  // namespace uniq::quant
