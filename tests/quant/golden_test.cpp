// Every case of tests/golden/quantizer.safetensors through the public interface, the way and within
// the tolerances that tests/golden/README.md states.
#include <gtest/gtest.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/quant/calibrated.h"
#include "tests/support/tensors.h"
#include "uniq/format/safetensors.h"
#include "uniq/quant/quantizer.h"

namespace uniq::quant {
namespace {

using test::read_tensor;
using test::within;
using test::within_largest;
using test::within_relative;
using torch::Tensor;

constexpr double kOutputTolerance = 1e-6;      // of the tensor's largest magnitude
constexpr double kWeightStepTolerance = 1e-5;  // relative
// The published code's half-normal constants are off by up to 8e-5.
constexpr double kActivationStepTolerance = 2e-4;

const format::Safetensors& golden() {
  static const format::Safetensors file(UNIQ_GOLDEN "/quantizer.safetensors");
  return file;
}

/// g of method.md: 1/sqrt(elements that share the step * largest level).
double gradient_scale(std::int64_t sharing, int level) {
  return 1.0 / std::sqrt(static_cast<double>(sharing) * level);
}

/// Forward and backward of case `name` at its own step, against y, gx and gdelta.
void expect_case(Quantizer& quantizer, const std::string& name, double g, bool leave_out_zeros) {
  const Tensor x = read_tensor(golden(), name + "x").requires_grad_();
  const Tensor gy = read_tensor(golden(), name + "gy");
  const Tensor gx = read_tensor(golden(), name + "gx");
  Tensor delta = quantizer.named_parameters()["delta"];
  {
    const torch::NoGradGuard no_grad;
    delta.copy_(read_tensor(golden(), name + "delta").reshape(delta.sizes()));
  }
  const Tensor y = quantizer.forward(x);
  y.backward(gy);
  EXPECT_TRUE(within_largest(y.detach(), read_tensor(golden(), name + "y"), kOutputTolerance));
  const Tensor compared = leave_out_zeros ? (x != 0) : torch::ones_like(x, torch::kBool);
  EXPECT_GT(compared.sum().item<std::int64_t>(), x.numel() / 4);
  EXPECT_TRUE(
      within(x.grad() * compared, gx * compared, kOutputTolerance * gx.abs().max().item<double>()));
  const int bits = quantizer.options().bits;
  const auto allowed = [&](const Tensor& gradients) {
    return kOutputTolerance * ((1 << bits) - 1) * g * gradients.abs().sum().item<double>();
  };
  const Tensor gdelta = read_tensor(golden(), name + "gdelta").reshape({-1});
  ASSERT_EQ(gdelta.numel(), delta.numel());
  for (std::int64_t i = 0; i < delta.numel(); ++i)
    EXPECT_TRUE(within(delta.grad()[i], gdelta[i], allowed(delta.numel() == 1 ? gy : gy[i])))
        << "step " << i;
}

TEST(Golden, Weights) {
  int cases = 0;
  for (const std::string granularity : {"layer", "kernel"})
    for (int bits = 1; bits <= 8; ++bits, ++cases) {
      const std::string name = "weight." + granularity + ".b" + std::to_string(bits) + ".";
      SCOPED_TRACE(name);
      const Tensor x = read_tensor(golden(), name + "x");
      const std::int64_t steps = granularity == "layer" ? 1 : x.size(0);
      const auto quantizer = make_quantizer({.role = Role::weight,
                                             .bits = bits,
                                             .grid = Grid::mid_rise,
                                             .steps = steps,
                                             .name = name});
      const Tensor expected = read_tensor(golden(), name + "init_delta").reshape({steps});
      EXPECT_TRUE(within_relative(calibrated(*quantizer, {x}), expected, kWeightStepTolerance));
      const double g = gradient_scale(x.numel() / steps, std::max((1 << (bits - 1)) - 1, 1));
      expect_case(*quantizer, name, g, /*leave_out_zeros=*/false);
    }
  EXPECT_EQ(cases, 16);
}

TEST(Golden, Activations) {
  int cases = 0;
  for (int bits = 1; bits <= 8; ++bits, ++cases) {
    const std::string name = "activation.b" + std::to_string(bits) + ".";
    SCOPED_TRACE(name);
    const auto quantizer = make_quantizer(
        {.role = Role::activation, .bits = bits, .grid = Grid::unsigned_, .name = name});
    const Tensor first = read_tensor(golden(), name + "calibration0");
    const Tensor second = read_tensor(golden(), name + "calibration1");
    const Tensor expected = read_tensor(golden(), name + "init_delta").reshape({1});
    EXPECT_TRUE(within_relative(calibrated(*quantizer, {first, second, first}), expected,
                                kActivationStepTolerance));
    const double g = gradient_scale(read_tensor(golden(), name + "x").numel(), (1 << bits) - 1);
    expect_case(*quantizer, name, g, /*leave_out_zeros=*/true);
  }
  EXPECT_EQ(cases, 8);
}

// A case that a newer file had, and that the loops above do not name, would be skipped in silence.
TEST(Golden, NothingInTheFileIsLeftOut) { EXPECT_EQ(golden().tensors().size(), 16u * 7 + 8u * 9); }

}  // namespace
}  // namespace uniq::quant
