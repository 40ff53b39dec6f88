#include "uniq/train/optimizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <set>

#include "tests/support/tensors.h"
#include "tests/support/torch_random_test.h"
#include "tests/train/small_network.h"
#include "uniq/base/error.h"

namespace uniq::train {
namespace {

using recipe::OptimizerKind;
using test::same_bits;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using torch::Tensor;

void set_gradients(const torch::nn::Module& network, double value) {
  for (Tensor p : network.parameters()) p.mutable_grad() = torch::full_like(p, value);
}

void set_random_gradients(const torch::nn::Module& network) {
  for (Tensor p : network.parameters()) p.mutable_grad() = torch::randn_like(p);
}

/// Parameters that an update without gradients changes: those that decay.
std::set<std::string> decaying(const recipe::Optimizer& options, const graph::BitRequest& request) {
  nn::GraphModule network = small_network(request);
  const torch::NoGradGuard no_grad;
  for (Tensor p : network->parameters()) p.fill_(1.0);
  set_gradients(*network, 0.0);
  Optimizer optimizer(options, *network);
  optimizer.step();
  std::set<std::string> names;
  for (const auto& item : network->named_parameters())
    if (!(item.value() == 1.0).all().item<bool>()) names.insert(item.key());
  return names;
}

const std::set<std::string> kWeights = {"conv1.weight", "conv2.weight", "fc.weight"};
const std::set<std::string> kNormAndBias = {"bn1.bias",   "bn1.weight", "bn2.bias",
                                            "bn2.weight", "conv2.bias", "fc.bias"};

std::set<std::string> operator+(std::set<std::string> a, const std::set<std::string>& b) {
  a.insert(b.begin(), b.end());
  return a;
}

TEST(Optimizer, StepsNeverDecay) {
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::adam})
    for (const graph::Method method : {graph::Method::uniq, graph::Method::lsq}) {
      recipe::Optimizer options{.kind = kind, .weight_decay = 0.5};
      EXPECT_EQ(decaying(options, small_request(2, method)), kWeights + kNormAndBias);
      options.decay_norm_and_bias = false;
      EXPECT_EQ(decaying(options, small_request(2, method)), kWeights);
    }
}

TEST(Optimizer, BoundsOfPactDecayAsTheWeightsDo) {
  const std::set<std::string> alphas = {"conv2.quan_a.alpha", "fc.quan_a.alpha"};
  recipe::Optimizer options{.weight_decay = 0.5};
  const auto request = small_request(2, graph::Method::pact);
  EXPECT_EQ(decaying(options, request), kWeights + kNormAndBias + alphas);
  options.decay_norm_and_bias = false;
  EXPECT_EQ(decaying(options, request), kWeights + alphas);
}

TEST(Optimizer, NothingDecaysAtZero) {
  EXPECT_TRUE(decaying({.weight_decay = 0.0}, small_request(2)).empty());
}

/// One weight that began at 1 after updates with these gradients. The numbers are powers of two, so
/// that every value is exact.
double weight_after(const recipe::Optimizer& options, const std::vector<double>& gradients) {
  torch::nn::Linear layer(torch::nn::LinearOptions(1, 1).bias(false));
  const torch::NoGradGuard no_grad;
  layer->weight.fill_(1.0);
  Optimizer optimizer(options, *layer);
  for (const double gradient : gradients) {
    set_gradients(*layer, gradient);
    optimizer.step();
  }
  return layer->weight.item<double>();
}

TEST(Optimizer, SgdIsMomentumNesterovAndDecay) {
  const recipe::Optimizer plain{.lr = 0.5, .momentum = 0.0, .weight_decay = 0.0};
  EXPECT_EQ(weight_after(plain, {2.0}), 0.0);
  recipe::Optimizer momentum = plain;
  momentum.momentum = 0.5;
  EXPECT_EQ(weight_after(momentum, {1.0, 1.0}), 1.0 - 0.5 * (1.0 + 1.5));
  recipe::Optimizer nesterov = momentum;
  nesterov.nesterov = true;
  EXPECT_EQ(weight_after(nesterov, {1.0, 1.0}), 1.0 - 0.5 * (1.5 + 1.75));
  recipe::Optimizer decay = plain;
  decay.weight_decay = 0.25;
  EXPECT_EQ(weight_after(decay, {0.0}), 1.0 - 0.5 * 0.25);
}

TEST(Optimizer, AdamMovesByItsRateAtFirst) {
  // m / (sqrt(v) + eps) with both moments corrected is 1 for a first gradient far above eps.
  const recipe::Optimizer adam{
      .kind = OptimizerKind::adam, .lr = 0.125, .epsilon = 1e-12, .weight_decay = 0.0};
  EXPECT_NEAR(weight_after(adam, {3.0}), 0.875, 1e-6);
  EXPECT_NEAR(weight_after(adam, {-3.0}), 1.125, 1e-6);
}

TEST(Optimizer, LearningRateIsSetForEveryGroup) {
  nn::GraphModule network = small_network(small_request(2));
  const torch::NoGradGuard no_grad;
  for (Tensor p : network->parameters()) p.fill_(1.0);
  set_gradients(*network, 1.0);
  Optimizer optimizer({.lr = 100.0, .momentum = 0.0, .weight_decay = 0.25}, *network);
  optimizer.set_learning_rate(0.5);
  optimizer.step();
  for (const auto& item : network->named_parameters()) {
    const double decay = item.key().ends_with(".delta") ? 0.0 : 0.25;
    EXPECT_TRUE((item.value() == 1.0 - 0.5 * (1.0 + decay)).all().item<bool>()) << item.key();
  }
}

TEST(Optimizer, ClipsTheNormOfAllGradientsTogether) {
  torch::nn::Linear layer(1, 1);
  const torch::NoGradGuard no_grad;
  const auto moved_by = [&](double clip_norm) {
    layer->weight.fill_(0.0);
    layer->bias.fill_(0.0);
    layer->weight.mutable_grad() = torch::full({1, 1}, 3.0);
    layer->bias.mutable_grad() = torch::full({1}, 4.0);
    Optimizer optimizer({.lr = 1.0, .momentum = 0.0, .weight_decay = 0.0, .clip_norm = clip_norm},
                        *layer);
    optimizer.step();
    return std::pair(-layer->weight.item<double>(), -layer->bias.item<double>());
  };
  EXPECT_EQ(moved_by(0.0), std::pair(3.0, 4.0));  // no limit
  EXPECT_EQ(moved_by(5.5), std::pair(3.0, 4.0));
  const auto [weight, bias] = moved_by(0.5);
  // LibTorch divides by the norm + 1e-6.
  EXPECT_NEAR(weight, 0.3, 1e-6);
  EXPECT_NEAR(bias, 0.4, 1e-6);
}

TEST(Optimizer, StepClearsTheGradients) {
  nn::GraphModule network = small_network();
  set_gradients(*network, 1.0);
  Optimizer optimizer({}, *network);
  optimizer.step();
  for (const Tensor& p : network->parameters())
    EXPECT_TRUE(!p.grad().defined() || (p.grad() == 0).all().item<bool>());
}

/// Copies of the tensors, as they come out of a file.
NamedTensors stored(const NamedTensors& tensors) {
  NamedTensors copies;
  for (const auto& [name, tensor] : tensors) copies[name] = tensor.detach().clone();
  return for_file(copies);
}

using RandomOptimizer = testing::TorchRandomTest;

TEST_F(RandomOptimizer, GoesOnFromItsStateBitForBit) {
  for (const recipe::Optimizer& options :
       {recipe::Optimizer{}, recipe::Optimizer{.nesterov = true},
        recipe::Optimizer{.momentum = 0.0},
        recipe::Optimizer{.kind = OptimizerKind::adam, .lr = 0.01, .clip_norm = 1.0}}) {
    nn::GraphModule network = small_network(small_request(2));
    Optimizer optimizer(options, *network);
    for (int i = 0; i < 3; ++i) {
      set_random_gradients(*network);
      optimizer.step();
    }
    const NamedTensors state = stored(optimizer.state());
    nn::GraphModule resumed = small_network(small_request(2));
    {
      const torch::NoGradGuard no_grad;
      for (const auto& [name, tensor] : state_dict(*network))
        state_dict(*resumed).at(name).copy_(tensor);
    }
    Optimizer resumed_optimizer(options, *resumed);
    resumed_optimizer.load_state(state);
    for (auto* run : {&network, &resumed}) {
      torch::manual_seed(seed_ + 1U);  // the same gradients for both
      for (int i = 0; i < 3; ++i) {
        set_random_gradients(**run);
        (run == &network ? optimizer : resumed_optimizer).step();
      }
    }
    const NamedTensors expected = state_dict(*network);
    for (const auto& [name, tensor] : state_dict(*resumed))
      EXPECT_TRUE(same_bits(tensor.detach(), expected.at(name).detach())) << name;
    const NamedTensors expected_state = optimizer.state();
    const NamedTensors resumed_state = resumed_optimizer.state();
    ASSERT_EQ(resumed_state.size(), expected_state.size());
    for (const auto& [name, tensor] : resumed_state)
      EXPECT_TRUE(same_bits(tensor, expected_state.at(name))) << name;
  }
}

/// The state of Adam after one update.
NamedTensors adam_state(const nn::GraphModule& network, const recipe::Optimizer& options) {
  Optimizer optimizer(options, *network);
  set_gradients(*network, 1.0);
  optimizer.step();
  return stored(optimizer.state());
}

TEST(Optimizer, StateThatDoesNotFitIsRefused) {
  const recipe::Optimizer adam{.kind = OptimizerKind::adam};
  const nn::GraphModule network = small_network();
  const NamedTensors whole = adam_state(network, adam);
  EXPECT_EQ(whole.size(), 3 * network->parameters().size());
  Optimizer fresh(adam, *network);

  NamedTensors unknown = whole;
  unknown["conv9.weight.exp_avg"] = torch::zeros({1});
  EXPECT_THAT([&] { fresh.load_state(unknown); },
              ThrowsMessage<Error>(HasSubstr("state does not fit the network")));

  NamedTensors lacking = whole;
  lacking.erase("fc.weight.exp_avg_sq");
  EXPECT_THAT([&] { fresh.load_state(lacking); },
              ThrowsMessage<Error>(AllOf(HasSubstr("lacks a part of the optimizer's state"),
                                         HasSubstr("fc.weight.exp_avg_sq"))));

  NamedTensors reshaped = whole;
  reshaped["fc.weight.exp_avg"] = torch::zeros({1});  // would broadcast
  EXPECT_THAT([&] { fresh.load_state(reshaped); },
              ThrowsMessage<Error>(AllOf(HasSubstr("state does not fit the network"),
                                         HasSubstr("fc.weight.exp_avg"))));

  Optimizer sgd({}, *network);
  EXPECT_THROW(sgd.load_state(whole), Error);
}

}  // namespace
}  // namespace uniq::train
