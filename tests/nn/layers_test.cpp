#include "uniq/nn/layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/enum.h>
#include <torch/nn/functional/loss.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/optim/sgd.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <string>
#include <vector>

#include "tests/support/tensors.h"
#include "tests/support/torch_random_test.h"
#include "uniq/base/error.h"
#include "uniq/graph/bit_rules.h"
#include "uniq/quant/calibration.h"

namespace uniq::nn {
namespace {

using graph::ActivationRange;
using graph::Granularity;
using graph::Method;
using test::same_bits;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using ::testing::UnorderedElementsAre;
using torch::Tensor;

Quantization quantized(int weight_bits, int activation_bits,
                       ActivationRange range = ActivationRange::non_negative,
                       Granularity granularity = Granularity::layer, Method method = Method::uniq) {
  return {
      .method = method,
      .bits = graph::layer_bits(method, "layer", weight_bits, activation_bits, granularity, range)};
}

std::vector<std::string> names_of(const torch::nn::Module& module) {
  return module.named_parameters().keys();
}

void set(const torch::nn::Module& module, const std::string& name, const Tensor& value) {
  const torch::NoGradGuard no_grad;
  module.named_parameters()[name].copy_(value);
}

/// Any LibTorch module, with these layers where torch::nn's would stand.
struct Network : torch::nn::Module {
  Network()
      : conv1(torch::nn::Conv2dOptions(3, 8, 3).padding(1), quantized(8, 8, ActivationRange::image),
              "conv1"),
        norm(8),
        conv2(torch::nn::Conv2dOptions(8, 8, 3).padding(1).bias(false), quantized(2, 2), "conv2"),
        fc(torch::nn::LinearOptions(8 * 4 * 4, 2), quantized(8, 8), "fc") {
    register_module("conv1", conv1);
    register_module("norm", norm);
    register_module("conv2", conv2);
    register_module("fc", fc);
  }
  Tensor forward(Tensor x) {
    x = torch::relu(norm(conv1(x)));
    x = torch::relu(conv2(x));
    return fc(torch::max_pool2d(x, 2).flatten(1));
  }
  QuantConv2d conv1;
  torch::nn::BatchNorm2d norm;
  QuantConv2d conv2;
  QuantLinear fc;
};

using RandomLayers = testing::TorchRandomTest;

TEST_F(RandomLayers, TrainInAHandWrittenModule) {
  Network network;
  // Two kinds of pictures: brighter on the left, brighter on the right.
  const Tensor labels = torch::arange(32).remainder(2);
  Tensor pictures = torch::randn({32, 3, 8, 8}) * 0.5;
  for (int i = 0; i < 32; ++i) pictures[i].slice(2, i % 2 * 4, i % 2 * 4 + 4) += 1.0;
  quant::start_calibration(network);
  network.forward(pictures);
  quant::stop_calibration(network);

  torch::optim::SGD optimizer(network.parameters(), torch::optim::SGDOptions(0.05).momentum(0.9));
  const Tensor first_steps = network.conv2->weight_quantizer()->step({}).clone();
  double first = 0.0, last = 0.0;
  for (int step = 0; step < 20; ++step) {
    optimizer.zero_grad();
    const Tensor loss = torch::nn::functional::cross_entropy(network.forward(pictures), labels);
    loss.backward();
    optimizer.step();
    last = loss.item<double>();
    if (step == 0) first = last;
  }
  EXPECT_LT(last, 0.2 * first);
  EXPECT_FALSE(torch::equal(network.conv2->weight_quantizer()->step({}), first_steps));
  for (const auto& item : network.named_parameters())
    EXPECT_TRUE(item.value().grad().defined()) << item.key();
}

TEST(Layers, HaveTheNamesOfPytorchsStateDict) {
  const Network network;
  EXPECT_THAT(names_of(network),
              UnorderedElementsAre("conv1.weight", "conv1.bias", "conv1.quan_w.delta",
                                   "conv1.quan_a.delta", "norm.weight", "norm.bias", "conv2.weight",
                                   "conv2.quan_w.delta", "conv2.quan_a.delta", "fc.weight",
                                   "fc.bias", "fc.quan_w.delta", "fc.quan_a.delta"));
}

TEST(Layers, LearnWhatTheirMethodLearns) {
  const auto learned = [](Method method, ActivationRange range = ActivationRange::non_negative) {
    const QuantLinear layer(torch::nn::LinearOptions(4, 3).bias(false),
                            quantized(2, 2, range, Granularity::layer, method));
    return names_of(*layer);
  };
  EXPECT_THAT(learned(Method::uniq),
              UnorderedElementsAre("weight", "quan_w.delta", "quan_a.delta"));
  EXPECT_THAT(learned(Method::lsq), UnorderedElementsAre("weight", "quan_w.delta", "quan_a.delta"));
  EXPECT_THAT(learned(Method::pact), UnorderedElementsAre("weight", "quan_a.alpha"));
  EXPECT_THAT(learned(Method::dorefa), UnorderedElementsAre("weight"));
  EXPECT_THAT(learned(Method::dorefa, ActivationRange::image),
              UnorderedElementsAre("weight", "quan_a.delta"));
}

TEST_F(RandomLayers, ConvolveTheFakeQuantizedTensors) {
  for (const Granularity granularity : {Granularity::layer, Granularity::kernel})
    for (const bool with_bias : {false, true}) {
      const auto options = torch::nn::Conv2dOptions(4, 6, {3, 2})
                               .stride({2, 1})
                               .padding({1, 2})
                               .dilation({1, 2})
                               .groups(2)
                               .bias(with_bias);
      QuantConv2d layer(options, quantized(3, 4, ActivationRange::non_negative, granularity));
      const std::int64_t steps = granularity == Granularity::kernel ? 6 : 1;
      const Tensor weight_steps = torch::rand({steps}) * 0.1 + 0.05;
      ASSERT_EQ(layer->named_parameters()["quan_w.delta"].sizes(), torch::IntArrayRef({steps}));
      set(*layer, "quan_w.delta", weight_steps);
      set(*layer, "quan_a.delta", torch::tensor({0.11f}));
      const Tensor x = torch::rand({2, 4, 9, 7}) * 2;
      // Both grids in ordinary tensor operations: mid-rise at 3 bits, unsigned at 4.
      const Tensor d = weight_steps.reshape({-1, 1, 1, 1});
      const Tensor w = d * (torch::round(torch::clamp(layer->weight / d + 3.5, 0, 7)) - 3.5);
      const Tensor a = 0.11f * torch::round(torch::clamp(x / torch::tensor(0.11f), 0, 15));
      EXPECT_TRUE(same_bits(layer(x), torch::conv2d(a, w, layer->bias, {2, 1}, {1, 2}, {1, 2}, 2)));
    }
}

TEST_F(RandomLayers, MultiplyTheFakeQuantizedTensors) {
  QuantLinear layer(torch::nn::LinearOptions(5, 3), quantized(2, 2));
  set(*layer, "quan_w.delta", torch::tensor({0.25f}));
  set(*layer, "quan_a.delta", torch::tensor({0.5f}));
  const Tensor x = torch::rand({4, 5}) * 2;
  const Tensor w = 0.25 * (torch::round(torch::clamp(layer->weight / 0.25 + 1.5, 0, 3)) - 1.5);
  const Tensor a = 0.5 * torch::round(torch::clamp(x / 0.5, 0, 3));
  EXPECT_TRUE(same_bits(layer(x), torch::linear(a, w, layer->bias)));
}

// The grid of the image has no zero, yet what lies outside the picture counts as 0.0. Steps that
// are powers of two make every sum exact, so that the order of additions does not matter.
TEST_F(RandomLayers, PadTheImageWithZerosAfterQuantization) {
  QuantConv2d layer(torch::nn::Conv2dOptions(3, 4, 3).padding(1).bias(false),
                    quantized(2, 2, ActivationRange::image));
  set(*layer, "quan_w.delta", torch::tensor({0.125f}));
  set(*layer, "quan_a.delta", torch::tensor({0.5f}));
  const Tensor x = torch::randn({2, 3, 6, 6});
  const Tensor w = 0.125 * (torch::round(torch::clamp(layer->weight / 0.125 + 1.5, 0, 3)) - 1.5);
  const auto on_grid = [](const Tensor& values) {
    return 0.5 * (torch::round(torch::clamp(values / 0.5 + 1.5, 0, 3)) - 1.5);
  };
  EXPECT_FALSE((on_grid(x) == 0).any().item<bool>());
  const Tensor padded_after = torch::constant_pad_nd(on_grid(x), {1, 1, 1, 1}, 0.0);
  const Tensor padded_before = on_grid(torch::constant_pad_nd(x, {1, 1, 1, 1}, 0.0));
  const Tensor y = layer(x);
  EXPECT_TRUE(same_bits(y, torch::conv2d(padded_after, w)));
  EXPECT_FALSE(torch::equal(y, torch::conv2d(padded_before, w)));
}

TEST_F(RandomLayers, WithoutQuantizationArePytorchs) {
  QuantConv2d layer(torch::nn::Conv2dOptions(3, 4, 3).padding(1));
  EXPECT_THAT(names_of(*layer), UnorderedElementsAre("weight", "bias"));
  EXPECT_EQ(layer->weight_quantizer(), nullptr);
  EXPECT_EQ(layer->activation_quantizer(), nullptr);
  EXPECT_FALSE(layer->clips_at_zero());
  const Tensor x = torch::randn({2, 3, 6, 6});
  EXPECT_TRUE(same_bits(layer(x), torch::conv2d(x, layer->weight, layer->bias, 1, 1)));
  // 1/sqrt(3 * 3 * 3), as PyTorch's layers begin.
  EXPECT_LE(layer->weight.abs().max().item<double>(), 0.19246);
  EXPECT_GT(layer->weight.abs().max().item<double>(), 0.15);
}

TEST(Layers, KnowWhetherTheyClipAtZero) {
  const torch::nn::LinearOptions options(4, 3);
  EXPECT_TRUE(QuantLinear(options, quantized(2, 2))->clips_at_zero());
  EXPECT_FALSE(QuantLinear(options, quantized(2, 2, ActivationRange::signed_))->clips_at_zero());
  EXPECT_FALSE(QuantLinear(options, quantized(8, 8, ActivationRange::image))->clips_at_zero());
}

TEST(Layers, RefuseOtherPaddings) {
  const auto make = [](const torch::nn::Conv2dOptions& options) {
    return QuantConv2d(options, quantized(2, 2), "layer1.0.conv1");
  };
  const auto message = AllOf(HasSubstr("padding has no quantized form (layer1.0.conv1)"),
                             HasSubstr("padding mode zeros"));
  EXPECT_THAT(
      [&] { make(torch::nn::Conv2dOptions(3, 4, 3).padding(1).padding_mode(torch::kReflect)); },
      ThrowsMessage<UsageError>(message));
  EXPECT_THAT(
      [&] { make(torch::nn::Conv2dOptions(3, 4, 3).padding(1).padding_mode(torch::kCircular)); },
      ThrowsMessage<UsageError>(message));
  EXPECT_THAT([&] { make(torch::nn::Conv2dOptions(3, 4, 3).padding(torch::kSame)); },
              ThrowsMessage<UsageError>(message));
}

TEST(Layers, WithoutCalibrationSayWhichOne) {
  QuantConv2d layer(torch::nn::Conv2dOptions(3, 4, 3), quantized(2, 2), "layer1.0.conv1");
  set(*layer, "quan_w.delta", torch::tensor({0.5f}));
  EXPECT_THAT(
      [&] {
        layer(torch::rand({1, 3, 5, 5}));
      },
      ThrowsMessage<Error>(HasSubstr("layer1.0.conv1 activations")));
  set(*layer, "quan_a.delta", torch::tensor({0.5f}));
  set(*layer, "quan_w.delta", torch::tensor({0.0f}));
  EXPECT_THAT(
      [&] {
        layer(torch::rand({1, 3, 5, 5}));
      },
      ThrowsMessage<Error>(HasSubstr("layer1.0.conv1 weights")));
}

}  // namespace
}  // namespace uniq::nn
