// What all quantizers share: refusals, errors of calibration, the guard.
#include "uniq/quant/quantizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/module.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <limits>
#include <string>
#include <vector>

#include "tests/support/tensors.h"
#include "uniq/base/error.h"
#include "uniq/quant/calibration.h"

namespace uniq::quant {
namespace {

using graph::Method;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using torch::Tensor;

QuantizerOptions uniq_activations(int bits = 2) {
  return {.role = Role::activation,
          .bits = bits,
          .grid = Grid::unsigned_,
          .name = "layer1.0.conv1 activations"};
}
QuantizerOptions uniq_weights(std::int64_t steps = 1) {
  return {.role = Role::weight, .steps = steps, .name = "layer1.0.conv1 weights"};
}

void set_step(Quantizer& q, const std::vector<float>& values) {
  const torch::NoGradGuard no_grad;
  q.named_parameters()["delta"].copy_(torch::tensor(values));
}

TEST(MakeQuantizer, RefusesWhatNoGridHas) {
  EXPECT_THAT([] { make_quantizer(uniq_activations(0)); },
              ThrowsMessage<UsageError>(HasSubstr("got 0, expected 1 to 8")));
  EXPECT_THAT([] { make_quantizer(uniq_activations(9)); },
              ThrowsMessage<UsageError>(HasSubstr("got 9, expected 1 to 8")));
  QuantizerOptions o = uniq_activations(1);
  o.grid = Grid::mid_tread;
  EXPECT_THAT([&] { make_quantizer(o); }, ThrowsMessage<UsageError>(HasSubstr("mid-tread")));
}

TEST(MakeQuantizer, RefusesLsqAtOneBit) {
  for (const auto& [role, grid] :
       {std::pair{Role::weight, Grid::mid_rise}, std::pair{Role::activation, Grid::unsigned_}}) {
    const QuantizerOptions o{
        .method = Method::lsq, .role = role, .bits = 1, .grid = grid, .name = "conv"};
    EXPECT_THAT([&] { make_quantizer(o); },
                ThrowsMessage<UsageError>(
                    AllOf(HasSubstr("(conv)"), HasSubstr("got 1 bit, expected 2 to 8"))));
  }
  // The image is UniQ's, whatever the method.
  EXPECT_NO_THROW(
      make_quantizer({.method = Method::lsq, .role = Role::image, .bits = 1, .name = "conv"}));
}

TEST(MakeQuantizer, RefusesKernelWiseDorefaAndPact) {
  for (const Method method : {Method::dorefa, Method::pact}) {
    QuantizerOptions o = uniq_weights(6);
    o.method = method;
    EXPECT_THAT([&] { make_quantizer(o); },
                ThrowsMessage<UsageError>(AllOf(HasSubstr("(layer1.0.conv1 weights)"),
                                                HasSubstr("got 6 steps, expected 1"))));
  }
}

TEST(Calibration, ALayerThatWasNeverCalibratedSaysSo) {
  const auto q = make_quantizer(uniq_activations());
  EXPECT_THAT(
      [&] {
        q->forward(torch::ones({2, 3}));
      },
      ThrowsMessage<Error>(AllOf(HasSubstr("step must be finite and positive"),
                                 HasSubstr("(layer1.0.conv1 activations)"))));
}

TEST(Calibration, AStepThatWentBelowZeroIsAnErrorThatNamesTheLayer) {
  const auto q = make_quantizer(uniq_weights());
  set_step(*q, {-0.01f});
  EXPECT_THAT(
      [&] {
        q->forward(torch::ones({2, 3}));
      },
      ThrowsMessage<Error>(HasSubstr("(layer1.0.conv1 weights)")));
}

TEST(Calibration, WithoutBatchesNamesTheLayer) {
  const auto q = make_quantizer(uniq_activations());
  q->start_calibration();
  EXPECT_THAT([&] { q->stop_calibration(); },
              ThrowsMessage<Error>(
                  AllOf(HasSubstr("calibration found no step (layer1.0.conv1 activations)"),
                        HasSubstr("got no calibration batch"), HasSubstr("calibration_batches"))));
  EXPECT_FALSE(q->calibrating());
}

TEST(Calibration, OnNothingButZerosNamesTheLayer) {
  for (const Method method : {Method::uniq, Method::lsq}) {
    QuantizerOptions o = uniq_activations();
    o.method = method;
    const auto q = make_quantizer(o);
    const Tensor zeros = torch::zeros({2, 3, 4, 4});
    q->start_calibration();
    EXPECT_TRUE(torch::equal(q->forward(zeros), zeros));
    EXPECT_TRUE(torch::equal(q->forward(zeros), zeros));
    EXPECT_THAT([&] { q->stop_calibration(); },
                ThrowsMessage<Error>(AllOf(HasSubstr("(layer1.0.conv1 activations)"),
                                           HasSubstr("got nothing but zeros"))));
  }
}

TEST(Calibration, OnNothingButEqualValuesNamesTheLayer) {
  for (const auto& [role, grid] : {std::pair{Role::image, Grid::mid_rise},
                                   {Role::activation, Grid::mid_tread},
                                   {Role::activation, Grid::mid_rise}})
    for (const Tensor& x : {torch::full({2, 3}, 0.1f), torch::zeros({1, 1})}) {
      const auto q = make_quantizer(
          {.role = role, .bits = 2, .grid = grid, .name = "layer1.0.conv1 activations"});
      q->start_calibration();
      EXPECT_TRUE(torch::equal(q->forward(x), x));
      EXPECT_THAT([&] { q->stop_calibration(); },
                  ThrowsMessage<Error>(AllOf(HasSubstr("(layer1.0.conv1 activations)"),
                                             HasSubstr("got nothing but equal values"))));
    }
}

TEST(Calibration, SomeBatchesOfZerosDoNoHarm) {
  const auto q = make_quantizer(uniq_activations());
  const Tensor zeros = torch::zeros({2, 30}), some = torch::rand({2, 30});
  q->start_calibration();
  q->forward(zeros);
  q->forward(some);
  q->forward(zeros);
  q->stop_calibration();
  EXPECT_GT(q->step(some).item<float>(), 0.0f);
}

TEST(Calibration, NanAndInfAreErrorsThatNameTheLayer) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  for (const Method method : {Method::uniq, Method::lsq})
    for (const float bad : {kNan, kInf})
      for (const QuantizerOptions& base : {uniq_activations(), uniq_weights()}) {
        QuantizerOptions o = base;
        o.method = method;
        if (method == Method::lsq && o.role == Role::weight) o.grid = Grid::mid_tread;
        const auto q = make_quantizer(o);
        q->start_calibration();
        Tensor x = torch::rand({4, 10});
        x[1][3] = bad;
        EXPECT_THAT([&] { q->forward(x); },
                    ThrowsMessage<Error>(AllOf(HasSubstr("calibration met NaN or Inf"),
                                               HasSubstr("(" + o.name + ")"))));
      }
}

TEST(Calibration, NanInALaterBatchIsSeenTooWhereTheLargestStepWins) {
  const auto q = make_quantizer(uniq_activations());
  q->start_calibration();
  q->forward(torch::rand({4, 10}));
  EXPECT_THAT(
      [&] {
        q->forward(torch::full({4, 10}, std::nan("")));
      },
      ThrowsMessage<Error>(HasSubstr("calibration met NaN or Inf")));
}

TEST(Guard, LiftsWhatFellBelowAndCountsIt) {
  const auto q = make_quantizer(uniq_weights(4));
  set_step(*q, {1.0f, 2.0f, 4.0f, 8.0f});
  q->arm_guard(0.25);
  EXPECT_TRUE(torch::equal(q->guard_floor(), torch::tensor({0.25f, 0.5f, 1.0f, 2.0f})));
  EXPECT_EQ(q->guard(), 0);
  set_step(*q, {-1.0f, 0.5f, 0.99f, 100.0f});
  EXPECT_EQ(q->guard(), 2);
  EXPECT_TRUE(torch::equal(q->step({}), torch::tensor({0.25f, 0.5f, 1.0f, 100.0f})));
  EXPECT_EQ(q->guard(), 0);
}

TEST(Guard, DoesNothingUntilItIsArmed) {
  const auto q = make_quantizer(uniq_weights());
  set_step(*q, {-1.0f});
  EXPECT_EQ(q->guard(), 0);
  EXPECT_FALSE(q->guard_floor().defined());
  EXPECT_EQ(q->step({}).item<float>(), -1.0f);
}

TEST(Guard, IsGivenBackToAResumedRun) {
  const auto first = make_quantizer(uniq_weights(2));
  set_step(*first, {1.0f, 2.0f});
  first->arm_guard(0.5);
  const auto second = make_quantizer(uniq_weights(2));
  set_step(*second, {0.1f, 3.0f});
  second->set_guard_floor(first->guard_floor());
  EXPECT_EQ(second->guard(), 1);
  EXPECT_TRUE(torch::equal(second->step({}), torch::tensor({0.5f, 3.0f})));
  EXPECT_THAT([&] { second->set_guard_floor(torch::ones({3})); },
              ThrowsMessage<Error>(HasSubstr("(layer1.0.conv1 weights)")));
}

TEST(Guard, LeavesNanToBeReported) {
  const auto q = make_quantizer(uniq_weights());
  set_step(*q, {1.0f});
  q->arm_guard(0.5);
  set_step(*q, {std::nanf("")});
  EXPECT_EQ(q->guard(), 0);
  EXPECT_THAT([&] { q->forward(torch::ones({2})); },
              ThrowsMessage<Error>(HasSubstr("(layer1.0.conv1 weights)")));
}

TEST(Guard, KeepsPactsBoundToo) {
  QuantizerOptions o = uniq_activations();
  o.method = Method::pact;
  const auto q = make_quantizer(o);
  q->arm_guard(0.01);
  {
    const torch::NoGradGuard no_grad;
    q->named_parameters()["alpha"].fill_(-3.0f);
  }
  EXPECT_EQ(q->guard(), 1);
  EXPECT_FLOAT_EQ(q->named_parameters()["alpha"].item<float>(), 0.1f);
}

TEST(Guard, HasNothingToDoWhereNothingIsLearned) {
  QuantizerOptions o = uniq_weights();
  o.method = Method::dorefa;
  const auto q = make_quantizer(o);
  q->arm_guard(0.5);
  EXPECT_EQ(q->guard(), 0);
  EXPECT_FALSE(q->guard_floor().defined());
}

/// A module with quantizers at two depths.
struct Layer : torch::nn::Module {
  Layer() {
    weights = register_module("quan_w", make_quantizer(uniq_weights(2)));
    activations = register_module("quan_a", make_quantizer(uniq_activations()));
  }
  std::shared_ptr<Quantizer> weights, activations;
};
struct Network : torch::nn::Module {
  Network() { layer = register_module("conv1", std::make_shared<Layer>()); }
  std::shared_ptr<Layer> layer;
};

TEST(AllQuantizers, AreFoundCalibratedAndGuardedBelowAnyModule) {
  Network network;
  std::vector<std::string> paths;
  for_each_quantizer(network, [&](const std::string& path, Quantizer&) { paths.push_back(path); });
  EXPECT_THAT(paths, ElementsAre("conv1.quan_w", "conv1.quan_a"));

  start_calibration(network);
  EXPECT_TRUE(network.layer->weights->calibrating());
  network.layer->weights->forward(torch::stack({torch::zeros({50}), torch::randn({50})}));
  EXPECT_THAT(fallbacks(network),
              ElementsAre("layer1.0.conv1 weights: 1 of 2 kernels take the layer's step"));
  EXPECT_THAT([&] { stop_calibration(network); },
              ThrowsMessage<Error>(HasSubstr("layer1.0.conv1 activations")));
  start_calibration(network);
  network.layer->weights->forward(torch::randn({2, 50}));
  network.layer->activations->forward(torch::rand({2, 50}));
  stop_calibration(network);
  EXPECT_TRUE(fallbacks(network).empty());
  EXPECT_FALSE(network.layer->activations->calibrating());

  arm_guards(network, 0.5);
  EXPECT_EQ(guard_steps(network), 0);
  set_step(*network.layer->weights, {-1.0f, -1.0f});
  set_step(*network.layer->activations, {0.0f});
  EXPECT_EQ(guard_steps(network), 3);
  EXPECT_EQ(guard_steps(network), 0);
}

}  // namespace
}  // namespace uniq::quant
