// What the operators refuse, and what they say of shapes without computing (meta tensors).
#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <functional>
#include <limits>
#include <string>

#include "tests/quant/ops_fixture.h"
#include "uniq/quant/composite.h"
#include "uniq/quant/ops.h"

namespace uniq::quant {
namespace {

using test::call_backward;
using test::call_fake_quantize;
using test::call_quantize;
using ::testing::HasSubstr;
using torch::Tensor;

/// What `call` throws as `Expected`; fails otherwise.
template <class Expected>
std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const Expected& error) {
    return error.what_without_backtrace();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

/// All three operators refuse these arguments with this message.
template <class Expected = c10::ValueError>
void expect_refused(const Tensor& x, const Tensor& step, std::int64_t bits, const std::string& grid,
                    const std::string& message) {
  SCOPED_TRACE(message);
  EXPECT_THAT(refusal<Expected>([&] { call_fake_quantize(x, step, bits, grid); }),
              HasSubstr(message));
  EXPECT_THAT(refusal<Expected>([&] { call_quantize(x, step, bits, grid); }), HasSubstr(message));
  EXPECT_THAT(refusal<Expected>([&] { call_backward(x, x, step, bits, grid); }),
              HasSubstr(message));
}

class Refusals : public ::testing::Test {
 protected:
  const Tensor x_ = torch::ones({3, 4});
  const Tensor step_ = torch::tensor({0.5f});
};

TEST_F(Refusals, Bits) {
  for (const Tensor& x : {x_, x_.to(torch::kMeta)})
    for (const std::int64_t bits :
         {std::int64_t{0}, std::int64_t{9}, std::int64_t{-1}, std::int64_t{1} << 40}) {
      expect_refused(
          x, step_.to(x.device()), bits, "mid-rise",
          "uniq: wrong number of bits: got " + std::to_string(bits) + ", expected 1 to 8");
    }
}

TEST_F(Refusals, Grids) {
  for (const Tensor& x : {x_, x_.to(torch::kMeta)}) {
    expect_refused(x, step_.to(x.device()), 2, "midrise", "unknown grid: got 'midrise'");
    expect_refused(x, step_.to(x.device()), 2, "", "unknown grid");
    expect_refused(x, step_.to(x.device()), 1, "mid-tread", "mid-tread grid of 1 bit");
  }
}

TEST_F(Refusals, StepsThatAreNotFiniteAndPositive) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  for (const float bad : {0.0f, -0.0f, -0.5f, kInf, -kInf, kNan}) {
    expect_refused(x_, torch::tensor({bad}), 2, "mid-rise", "step must be finite and positive");
    expect_refused(x_, torch::tensor({0.5f, bad, 0.5f}), 2, "mid-rise",
                   "step must be finite and positive");
    expect_refused(torch::empty({3, 0}), torch::tensor({bad}), 2, "mid-rise",
                   "step must be finite and positive");
    for (const Tensor& step : {torch::tensor({bad}), torch::tensor({0.5f, 0.5f, bad})}) {
      EXPECT_THROW(composite::fake_quantize(x_, step, 2, Grid::mid_rise), c10::ValueError);
      EXPECT_THROW(composite::quantize(x_, step, 2, Grid::mid_rise), c10::ValueError);
      EXPECT_THROW(composite::fake_quantize_backward(x_, x_, step, 2, Grid::mid_rise, 1.0),
                   c10::ValueError);
    }
  }
}

TEST_F(Refusals, NumbersOfSteps) {
  for (const Tensor& x : {x_, x_.to(torch::kMeta)}) {
    for (const std::int64_t count : {0, 2, 4, 12})
      expect_refused(x, torch::ones({count}, x.options()), 2, "mid-rise",
                     "wrong number of steps: got " + std::to_string(count));
    expect_refused(torch::ones({}, x.options()), torch::ones({3}, x.options()), 2, "mid-rise",
                   "wrong number of steps: got 3");
  }
}

TEST_F(Refusals, Types) {
  for (const Tensor& x : {x_, x_.to(torch::kMeta)}) {
    const Tensor step = step_.to(x.device());
    expect_refused<c10::TypeError>(x.to(torch::kInt), step, 2, "mid-rise", "floating type");
    expect_refused<c10::TypeError>(x, step.to(torch::kDouble), 2, "mid-rise", "step must be fp32");
  }
  expect_refused<c10::TypeError>(x_.to(torch::kFloat8_e5m2), step_, 2, "mid-rise",
                                 "type not supported");
  expect_refused(x_.to(torch::kMeta), step_, 2, "mid-rise", "on different devices");
}

TEST_F(Refusals, NanHasNoCode) {
  Tensor x = torch::ones({20'000});
  for (const std::int64_t position : {0, 9000, 19'999}) {
    x.fill_(1.0f);
    x[position] = std::numeric_limits<float>::quiet_NaN();
    for (const auto type : test::float_types()) {
      EXPECT_THAT(
          refusal<c10::ValueError>([&] { call_quantize(x.to(type), step_, 2, "mid-rise"); }),
          HasSubstr("NaN has no code"));
      EXPECT_THROW(composite::quantize(x.to(type), step_, 2, Grid::mid_rise), c10::ValueError);
    }
  }
}

TEST_F(Refusals, AGradientOfAnotherShape) {
  EXPECT_THAT(refusal<c10::ValueError>([&] {
                call_backward(torch::ones({4, 3}), x_, step_, 2, "mid-rise");
              }),
              HasSubstr("gradient of another shape: got [4, 3], expected [3, 4]"));
}

TEST(Meta, SaysShapesTypesAndStridesOfTheResults) {
  for (const auto type : test::float_types())
    for (const Tensor& steps : {torch::tensor({0.37f}), torch::tensor({0.37f, 1.9f, 0.01f})})
      for (const auto& [name, x] :
           test::layouts_of(torch::randn({3, 5, 7, 9}, torch::dtype(type)))) {
        SCOPED_TRACE(name + ", " + toString(type) + ", steps " + std::to_string(steps.numel()));
        const Tensor meta_x =
            torch::empty_strided(x.sizes(), x.strides(), x.options().device(torch::kMeta));
        const Tensor meta_steps = steps.to(torch::kMeta);
        const auto expect_same = [](const Tensor& meta, const Tensor& real) {
          EXPECT_TRUE(meta.is_meta());
          EXPECT_EQ(meta.sizes(), real.sizes());
          EXPECT_EQ(meta.strides(), real.strides());
          EXPECT_EQ(meta.scalar_type(), real.scalar_type());
        };
        expect_same(call_fake_quantize(meta_x, meta_steps, 2, "mid-rise"),
                    call_fake_quantize(x, steps, 2, "mid-rise"));
        expect_same(call_quantize(meta_x, meta_steps, 2, "mid-rise"),
                    call_quantize(x, steps, 2, "mid-rise"));
        const auto [meta_gx, meta_gstep] = call_backward(meta_x, meta_x, meta_steps, 2, "mid-rise");
        const auto [gx, gstep] = call_backward(x, x, steps, 2, "mid-rise");
        expect_same(meta_gx, gx);
        expect_same(meta_gstep, gstep);
      }
}

TEST(Meta, CarriesGradients) {
  const Tensor x = torch::empty({3, 5}, torch::device(torch::kMeta).requires_grad(true));
  const Tensor step = torch::empty({1}, torch::device(torch::kMeta).requires_grad(true));
  call_fake_quantize(x, step, 2, "unsigned").sum().backward();
  EXPECT_EQ(x.grad().sizes(), x.sizes());
  EXPECT_EQ(step.grad().sizes(), step.sizes());
}

}  // namespace
}  // namespace uniq::quant
