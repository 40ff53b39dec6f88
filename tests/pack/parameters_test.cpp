// Codes and folded parameters against docs/format.md, by numbers worked out by hand.
#include "uniq/pack/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <map>

#include "uniq/base/error.h"
#include "uniq/graph/builder.h"
#include "uniq/grid/dorefa.h"
#include "uniq/grid/step.h"

namespace uniq::pack {
namespace {

using graph::Method;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TensorSource source(std::map<std::string, std::vector<float>> tensors) {
  return [tensors](const std::string& name) { return tensors.at(name); };
}

/// One convolution "conv", in channels x 2x2, two outputs, and a batch norm "bn" behind it.
graph::Graph network(bool bias = false, graph::Extent kernel = 1, std::int64_t in = 2) {
  graph::Builder b;
  return b.finish(b.input({in, 4, 4})
                      .relu("relu")
                      .conv2d("conv", {.out_channels = 2, .kernel = kernel, .bias = bias})
                      .batch_norm("bn", {.eps = 0.25})
                      .global_avg_pool("pool")
                      .flatten("flatten"));
}

const graph::Node& node(const graph::Graph& g, const char* name) { return g.node(*g.find(name)); }

std::vector<int> codes_of(const LayerParameters& layer, std::size_t count) {
  std::vector<std::uint8_t> codes(count);
  format::unpack_codes(layer.weights, layer.bits, codes);
  return {codes.begin(), codes.end()};
}

graph::BitPlan plan_of(const graph::Graph& g, Method method, int bits,
                       graph::Granularity granularity = graph::Granularity::layer) {
  graph::BitPlan plan =
      graph::make_bit_plan(g, {.method = method, .weight_bits = bits, .activation_bits = bits});
  plan.layers.at("conv").weight_bits = bits;  // the only layer is an end, of 8 bits
  plan.layers.at("conv").activation_bits = bits;
  plan.layers.at("conv").granularity = granularity;
  return plan;
}

TEST(LayerParameters, CodesUnitsAndABatchNormOfBothSigns) {
  const graph::Graph g = network();
  const TensorSource tensors = source({{"conv.weight", {-1.5f, 0.2f, 0.7f, 9.0f}},
                                       {"conv.quan_w.delta", {0.5f}},
                                       {"conv.quan_a.delta", {0.25f}},
                                       {"bn.weight", {2.0f, -1.0f}},
                                       {"bn.bias", {0.5f, 0.25f}},
                                       {"bn.running_mean", {1.0f, -2.0f}},
                                       {"bn.running_var", {3.75f, 0.0f}}});
  const graph::BitPlan plan = plan_of(g, Method::uniq, 2);
  const format::Encoding input = input_encoding("conv", plan, tensors);
  EXPECT_EQ(input, (format::Encoding{2, Grid::unsigned_, 0.25f}));
  const Norm norm = read_norm(node(g, "bn"), tensors);
  EXPECT_THAT(norm.factor, ElementsAre(1.0, -2.0));
  const LayerParameters layer = layer_parameters(node(g, "conv"), 2, plan, input, norm, tensors);
  // w / 0.5 + 1.5: -1.5, 1.9, 2.9, 19.5
  EXPECT_THAT(codes_of(layer, 4), ElementsAre(0, 2, 3, 3));
  EXPECT_EQ(layer.pad_code, 0);
  // Half a weight step times the activation's step, times the factor.
  EXPECT_THAT(layer.affine.scale, ElementsAre(0.25f * 0.25f, 0.25f * 0.25f * -2.0f));
  EXPECT_THAT(layer.affine.bias, ElementsAre(-1.0f + 0.5f, 2.0f * -2.0f + 0.25f));
}

TEST(LayerParameters, KernelWiseStepsAndABias) {
  const graph::Graph g = network(true);
  const TensorSource tensors = source({{"conv.weight", {0.3f, -0.3f, 0.3f, -0.3f}},
                                       {"conv.bias", {0.5f, -7.0f}},
                                       {"conv.quan_w.delta", {0.5f, 0.125f}},
                                       {"conv.quan_a.delta", {0.5f}}});
  const graph::BitPlan plan = plan_of(g, Method::uniq, 2, graph::Granularity::kernel);
  const format::Encoding input = input_encoding("conv", plan, tensors);
  const LayerParameters layer = layer_parameters(node(g, "conv"), 2, plan, input, {}, tensors);
  // 0.6 + 1.5 and -0.6 + 1.5; 2.4 + 1.5 and -2.4 + 1.5
  EXPECT_THAT(codes_of(layer, 4), ElementsAre(2, 1, 3, 0));
  EXPECT_THAT(layer.affine.scale, ElementsAre(0.125f, 0.03125f));
  EXPECT_THAT(layer.affine.bias, ElementsAre(0.5f, -7.0f));
}

TEST(LayerParameters, WeightsAreReorderedToChannelsLast) {
  const graph::Graph g = network(false, {1, 2});
  // [out][in][column], values 0..7: as fp32, so that the order shows.
  const TensorSource tensors = source({{"conv.weight", {0, 1, 2, 3, 4, 5, 6, 7}}});
  const graph::BitPlan plan = graph::make_bit_plan(g, {});
  const LayerParameters layer = layer_parameters(node(g, "conv"), 2, plan, {}, {}, tensors);
  EXPECT_EQ(layer.bits, 0);
  EXPECT_EQ(layer.pad_code, format::kLeaveOut);
  std::vector<float> values(8);
  ASSERT_EQ(layer.weights.size(), 32u);
  std::memcpy(values.data(), layer.weights.data(), 32);
  EXPECT_THAT(values, ElementsAre(0, 2, 1, 3, 4, 6, 5, 7));
  EXPECT_THAT(layer.affine.scale, ElementsAre(1.0f, 1.0f));
  EXPECT_THAT(layer.affine.bias, ElementsAre(0.0f, 0.0f));
}

TEST(LayerParameters, LsqIsMidTread) {
  const graph::Graph g = network();
  const TensorSource tensors = source({{"conv.weight", {-1.5f, 0.2f, 0.7f, 9.0f}},
                                       {"conv.quan_w.delta", {0.5f}},
                                       {"conv.quan_a.delta", {1.0f}}});
  const graph::BitPlan plan = plan_of(g, Method::lsq, 3);
  const format::Encoding input = input_encoding("conv", plan, tensors);
  const LayerParameters layer = layer_parameters(node(g, "conv"), 2, plan, input, {}, tensors);
  EXPECT_EQ(layer.grid, Grid::mid_tread);
  // w / 0.5 + 4: 1, 4.4, 5.4, 22
  EXPECT_THAT(codes_of(layer, 4), ElementsAre(1, 4, 5, 7));
  EXPECT_THAT(layer.affine.scale, ElementsAre(0.5f, 0.5f));
}

TEST(LayerParameters, DorefaAndPactTransformTheirWeights) {
  const graph::Graph g = network();
  const std::vector<float> weights = {-1.5f, 0.2f, 0.7f, 0.9f};
  const TensorSource tensors = source({{"conv.weight", weights}, {"conv.quan_a.alpha", {6.0f}}});
  for (const Method method : {Method::dorefa, Method::pact}) {
    const graph::BitPlan plan = plan_of(g, method, 2);
    const format::Encoding input = input_encoding("conv", plan, tensors);
    EXPECT_EQ(input.step, method == Method::pact ? 2.0f : 1.0f / 3.0f);
    const LayerParameters layer = layer_parameters(node(g, "conv"), 2, plan, input, {}, tensors);
    const float largest = dorefa_tanh(1.5f);
    std::vector<int> expected;
    for (const float w : weights)
      expected.push_back(quantize(dorefa_tanh(w) / largest, 2.0f / 3.0f, Grid::mid_rise, 2));
    EXPECT_EQ(codes_of(layer, 4), expected);
    EXPECT_EQ(layer.affine.scale[0], static_cast<float>(static_cast<double>(2.0f / 3.0f) / 2 *
                                                        static_cast<double>(input.step)));
  }
}

TEST(LayerParameters, DorefaOfOneBitIsTheSignTimesTheMean) {
  const graph::Graph g = network();
  const TensorSource tensors = source({{"conv.weight", {-1.0f, 0.0f, 2.0f, 5.0f}}});
  const graph::BitPlan plan = plan_of(g, Method::dorefa, 1);
  const format::Encoding input = input_encoding("conv", plan, tensors);
  const LayerParameters layer = layer_parameters(node(g, "conv"), 2, plan, input, {}, tensors);
  EXPECT_THAT(codes_of(layer, 4), ElementsAre(0, 0, 1, 1));  // sign(0) = -1
  EXPECT_THAT(layer.affine.scale, ElementsAre(2.0f, 2.0f));  // the mean, at a step of 1
}

TEST(LayerParameters, WhatCannotBeFoldedIsNamed) {
  const graph::Graph g = network();
  std::map<std::string, std::vector<float>> tensors = {{"conv.weight", {1, 1, 1, 1}},
                                                       {"conv.quan_w.delta", {1e30f}},
                                                       {"conv.quan_a.delta", {1e30f}},
                                                       {"bn.weight", {1, 1}},
                                                       {"bn.bias", {0, 0}},
                                                       {"bn.running_mean", {0, 0}},
                                                       {"bn.running_var", {1, -0.25f}}};
  const graph::BitPlan plan = plan_of(g, Method::uniq, 2);
  const format::Encoding input = input_encoding("conv", plan, source(tensors));
  EXPECT_THAT([&] { layer_parameters(node(g, "conv"), 2, plan, input, {}, source(tensors)); },
              ThrowsMessage<Error>(AllOf(HasSubstr("fp32 cannot hold"), HasSubstr("layer conv"))));
  EXPECT_THAT([&] { read_norm(node(g, "bn"), source(tensors)); },
              ThrowsMessage<Error>(HasSubstr("bn.running_var, channel 1")));
}

// Training has no code for 0 there: see DorefaPact.WeightsThatAreAllZero.
TEST(LayerParameters, DorefaWeightsThatAreAllZero) {
  const graph::Graph g = network();
  const std::map<std::string, std::vector<float>> tensors = {{"conv.weight", {0, 0, -0.0f, 0}}};
  for (const auto& [bits, code] : {std::pair{1, 0}, {2, 2}, {3, 4}, {8, 128}}) {
    const graph::BitPlan plan = plan_of(g, Method::dorefa, bits);
    const format::Encoding input = input_encoding("conv", plan, source(tensors));
    const LayerParameters layer =
        layer_parameters(node(g, "conv"), 2, plan, input, {}, source(tensors));
    EXPECT_THAT(codes_of(layer, 4), Each(code)) << bits;
    const float step = bits == 1 ? kStepOfZeros : dorefa_step({}, bits);
    EXPECT_FLOAT_EQ(layer.affine.scale[0], step / 2 * input.step) << bits;
  }
}

TEST(LayerParameters, StepsWhoseLargestValueIsNotFinite) {
  const graph::Graph g = network();
  const auto refusal = [&](Method method, int bits, float weight, float w_step, float a_step) {
    const graph::BitPlan plan = plan_of(g, method, bits);
    const TensorSource tensors = source({{"conv.weight", std::vector<float>(4, weight)},
                                         {"conv.quan_w.delta", {w_step}},
                                         {"conv.quan_a.delta", {a_step}},
                                         {"conv.quan_a.alpha", {a_step}}});
    return [=, &g] {
      const format::Encoding input = input_encoding("conv", plan, tensors);
      layer_parameters(node(g, "conv"), 2, plan, input, {}, tensors);
    };
  };
  const auto refuses = ThrowsMessage<Error>(
      AllOf(HasSubstr("a step that fp32 cannot hold, or whose largest value it cannot"),
            HasSubstr("layer conv"), HasSubstr("expected above 0 and at most")));
  EXPECT_NO_THROW(refusal(Method::uniq, 2, 1.0f, 2e38f, 1e-30f)());
  EXPECT_THAT(refusal(Method::uniq, 2, 1.0f, 3e38f, 1e-30f), refuses);
  EXPECT_NO_THROW(refusal(Method::uniq, 2, 1.0f, 1e-30f, 1e38f)());
  EXPECT_THAT(refusal(Method::uniq, 2, 1.0f, 1e-30f, 2e38f), refuses);
  EXPECT_THAT(refusal(Method::pact, 8, 1.0f, 0.0f, 1e-45f), refuses);   // alpha / 255 is 0
  EXPECT_THAT(refusal(Method::dorefa, 1, 3e38f, 0.0f, 0.0f), refuses);  // twice the mean
}

TEST(ToAffine, IsRoundedOnce) {
  const Norm norm{.factor = {0.1, -3.0}, .mean = {0.7, 1e-9}, .shift = {0.3, 2.0}};
  const Affine affine = to_affine(norm, "bn");
  EXPECT_THAT(affine.scale, ElementsAre(0.1f, -3.0f));
  EXPECT_THAT(affine.bias, ElementsAre(static_cast<float>(0.3 - 0.7 * 0.1), 2.0f));
}

}  // namespace
}  // namespace uniq::pack
