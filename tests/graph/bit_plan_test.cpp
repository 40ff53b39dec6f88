#include "uniq/graph/bit_plan.h"

#include <gtest/gtest.h>

#include "tests/graph/expect_error.h"
#include "tests/graph/small_networks.h"
#include "uniq/base/error.h"

namespace uniq::graph {
namespace {

/// "w/a" of a layer, or "fp32".
std::string widths(const BitPlan& plan, const std::string& layer) {
  const LayerBits& bits = plan.at(layer);
  if (!bits.quantized()) return bits.activation_bits == 0 ? "fp32" : "broken";
  return std::to_string(bits.weight_bits) + "/" + std::to_string(bits.activation_bits);
}

/// Widths of the residual network's layers: stem, conv1, conv2, downsample, fc.
std::vector<std::string> residual_widths(const BitRequest& request) {
  const BitPlan plan = make_bit_plan(residual_network(), request);
  EXPECT_EQ(plan.layers.size(), 5u);
  return {widths(plan, "stem"), widths(plan, "conv1"), widths(plan, "conv2"),
          widths(plan, "downsample"), widths(plan, "fc")};
}

using Widths = std::vector<std::string>;

/// input - conv1 - bn1 - relu1 - body - linear (a bottleneck) - expand - relu2 - fc.
Graph bottleneck_network() {
  Builder b;
  return b.finish(b.input({3, 8, 8})
                      .conv2d("conv1", {.out_channels = 4, .kernel = 3})
                      .batch_norm("bn1")
                      .relu("relu1")
                      .conv2d("project", {.out_channels = 4})
                      .batch_norm("bn2")
                      .conv2d("expand", {.out_channels = 8})
                      .relu("relu2")
                      .flatten("flatten")
                      .linear("fc", {.out_features = 10}));
}

std::string refusal(const Graph& graph, const BitRequest& request) {
  return error_of<UsageError>([&] { make_bit_plan(graph, request); });
}

TEST(BitPlanTest, MultiBitNetworksHaveEightBitEnds) {
  EXPECT_EQ(residual_widths({.weight_bits = 2, .activation_bits = 2}),
            (Widths{"8/8", "2/2", "2/2", "2/2", "8/8"}));
  EXPECT_EQ(residual_widths({.weight_bits = 4, .activation_bits = 3}),
            (Widths{"8/8", "4/3", "4/3", "4/3", "8/8"}));
}

TEST(BitPlanTest, OneBitNetworksKeepEndsAndDownsamplingInFp32) {
  EXPECT_EQ(residual_widths({.weight_bits = 1, .activation_bits = 1}),
            (Widths{"fp32", "1/1", "1/1", "fp32", "fp32"}));
}

TEST(BitPlanTest, OneWidthOfOneBitFollowsTheMultiBitRules) {
  EXPECT_EQ(residual_widths({.weight_bits = 1, .activation_bits = 2}),
            (Widths{"8/8", "1/2", "1/2", "1/2", "8/8"}));
  EXPECT_EQ(residual_widths({.weight_bits = 2, .activation_bits = 1}),
            (Widths{"8/8", "2/1", "2/1", "2/1", "8/8"}));
}

TEST(BitPlanTest, ExplicitEndBitsWinForTheEnds) {
  EXPECT_EQ(residual_widths({.weight_bits = 1, .activation_bits = 1, .end_bits = 8}),
            (Widths{"8/8", "1/1", "1/1", "fp32", "8/8"}));
  EXPECT_EQ(residual_widths({.weight_bits = 2, .activation_bits = 2, .end_bits = 0}),
            (Widths{"fp32", "2/2", "2/2", "2/2", "fp32"}));
  EXPECT_EQ(residual_widths({.weight_bits = 2, .activation_bits = 2, .end_bits = 4}),
            (Widths{"4/4", "2/2", "2/2", "2/2", "4/4"}));
}

TEST(BitPlanTest, NoWidthMeansFp32) {
  EXPECT_EQ(residual_widths({}), (Widths(5, "fp32")));
  EXPECT_EQ(residual_widths({.end_bits = 8}), (Widths(5, "fp32")));
  EXPECT_FALSE(make_bit_plan(residual_network(), {}).quantized());
  EXPECT_TRUE(
      make_bit_plan(residual_network(), {.weight_bits = 2, .activation_bits = 2}).quantized());
}

TEST(BitPlanTest, TheLastOverrideThatMatchesWins) {
  BitRequest request{.weight_bits = 1, .activation_bits = 1};
  request.overrides = {{"conv?", 4, 5}, {"conv2", 0, 0}, {"down*", 3, 3}};
  EXPECT_EQ(residual_widths(request), (Widths{"fp32", "4/5", "fp32", "3/3", "fp32"}));
  request.overrides = {{"conv2", 0, 0}, {"*", 6, 6}};
  EXPECT_EQ(residual_widths(request), (Widths(5, "6/6")));
  EXPECT_EQ(residual_widths({.overrides = {{"conv1", 2, 2}}}),
            (Widths{"fp32", "2/2", "fp32", "fp32", "fp32"}));
}

TEST(BitPlanTest, GridsOfUniq) {
  const BitPlan plan =
      make_bit_plan(bottleneck_network(), {.weight_bits = 3, .activation_bits = 2});
  EXPECT_EQ(plan.at("conv1"),
            (LayerBits{8, 8, Grid::mid_rise, Grid::mid_rise, ActivationRange::image}));
  EXPECT_EQ(plan.at("project"),
            (LayerBits{3, 2, Grid::mid_rise, Grid::unsigned_, ActivationRange::non_negative}));
  EXPECT_EQ(plan.at("expand"),
            (LayerBits{3, 2, Grid::mid_rise, Grid::mid_tread, ActivationRange::signed_}));
  EXPECT_EQ(plan.at("fc"),
            (LayerBits{8, 8, Grid::mid_rise, Grid::unsigned_, ActivationRange::non_negative}));
}

TEST(BitPlanTest, SignedOneBitActivationsAreMidRise) {
  const BitPlan plan =
      make_bit_plan(bottleneck_network(), {.weight_bits = 2, .activation_bits = 1});
  EXPECT_EQ(plan.at("expand").activation_grid, Grid::mid_rise);
  EXPECT_EQ(plan.at("project").activation_grid, Grid::unsigned_);
}

TEST(BitPlanTest, GridsOfLsq) {
  const BitPlan plan = make_bit_plan(
      bottleneck_network(), {.method = Method::lsq, .weight_bits = 2, .activation_bits = 2});
  // The picture is quantized as UniQ does it.
  EXPECT_EQ(plan.at("conv1"),
            (LayerBits{8, 8, Grid::mid_tread, Grid::mid_rise, ActivationRange::image}));
  EXPECT_EQ(plan.at("project"),
            (LayerBits{2, 2, Grid::mid_tread, Grid::unsigned_, ActivationRange::non_negative}));
  EXPECT_EQ(plan.at("expand"),
            (LayerBits{2, 2, Grid::mid_tread, Grid::mid_tread, ActivationRange::signed_}));
}

TEST(BitPlanTest, LsqHasNoOneBitGrid) {
  const BitRequest weights{.method = Method::lsq, .weight_bits = 1, .activation_bits = 2};
  EXPECT_EQ(refusal(plain_network(), weights),
            "bits: lsq has no 1-bit grid (layer conv2): got 1/2 bits, expected 2 to 8; try method "
            "uniq");
  const BitRequest activations{.method = Method::lsq, .weight_bits = 2, .activation_bits = 1};
  EXPECT_NE(refusal(plain_network(), activations).find("got 2/1 bits"), std::string::npos);
}

TEST(BitPlanTest, DorefaAndPactRefuseSignedActivations) {
  for (const Method method : {Method::dorefa, Method::pact}) {
    const BitRequest request{.method = method, .weight_bits = 2, .activation_bits = 2};
    EXPECT_EQ(refusal(bottleneck_network(), request),
              "bits: " + std::string(method_name(method)) +
                  " cannot quantize signed activations (layer expand): got an input that can be "
                  "negative, expected one behind a ReLU; try method uniq or lsq, or an override "
                  "that leaves the layer in fp32");
    BitRequest without = request;
    without.overrides = {{"expand", 0, 0}};
    const BitPlan plan = make_bit_plan(bottleneck_network(), without);
    EXPECT_EQ(plan.at("conv1"),
              (LayerBits{8, 8, Grid::mid_rise, Grid::mid_rise, ActivationRange::image}));
    EXPECT_EQ(plan.at("project"),
              (LayerBits{2, 2, Grid::mid_rise, Grid::unsigned_, ActivationRange::non_negative}));
    EXPECT_EQ(plan.at("expand").range, ActivationRange::signed_);
  }
}

TEST(BitPlanTest, KernelWiseStepsLeaveTheEndsLayerWise) {
  BitRequest request{.weight_bits = 2, .activation_bits = 2, .granularity = Granularity::kernel};
  request.overrides = {{"fc", 3, 3}, {"conv2", 0, 0}};
  const BitPlan plan = make_bit_plan(residual_network(), request);
  EXPECT_EQ(plan.at("stem").granularity, Granularity::layer);
  EXPECT_EQ(plan.at("fc").granularity, Granularity::layer);
  EXPECT_EQ(plan.at("conv1").granularity, Granularity::kernel);
  EXPECT_EQ(plan.at("downsample").granularity, Granularity::kernel);
  EXPECT_EQ(plan.at("conv2").granularity, Granularity::layer) << "fp32 has no steps";
}

TEST(BitPlanTest, DorefaAndPactHaveNoKernelWiseSteps) {
  const BitRequest request{.method = Method::pact,
                           .weight_bits = 2,
                           .activation_bits = 2,
                           .granularity = Granularity::kernel};
  EXPECT_EQ(refusal(plain_network(), request),
            "bits: pact has one weight step per layer (layer conv2): got granularity kernel, "
            "expected layer; try method uniq or lsq");
}

TEST(BitPlanTest, RefusesWidths) {
  const Graph graph = plain_network();
  EXPECT_EQ(refusal(graph, {.weight_bits = 9, .activation_bits = 2}),
            "bits: weight bits out of range (the network's width): got 9, expected 1 to 8, or 0 "
            "for fp32");
  EXPECT_EQ(refusal(graph, {.weight_bits = 2, .activation_bits = -1}),
            "bits: activation bits out of range (the network's width): got -1, expected 1 to 8, or "
            "0 for fp32");
  EXPECT_EQ(refusal(graph, {.weight_bits = 2}),
            "bits: one of the two widths is missing (the network's width): got weights 2, "
            "activations 0, expected both 1 to 8, or both 0 for fp32; try activation bits of 8");
  EXPECT_EQ(refusal(graph, {.activation_bits = 2}),
            "bits: one of the two widths is missing (the network's width): got weights 0, "
            "activations 2, expected both 1 to 8, or both 0 for fp32; try weight bits of 8");
  for (const int bits : {-2, 9}) {
    EXPECT_EQ(refusal(graph, {.weight_bits = 2, .activation_bits = 2, .end_bits = bits}),
              "bits: width of the first and last layer out of range: got " + std::to_string(bits) +
                  ", expected 1 to 8, 0 for fp32, or -1 for the usual "
                  "width");
  }
  EXPECT_NE(refusal(graph, {.overrides = {{"conv1", 9, 9}}}).find("(override 'conv1'): got 9"),
            std::string::npos);
  EXPECT_NE(refusal(graph, {.overrides = {{"conv1", 4, 0}}}).find("(override 'conv1')"),
            std::string::npos);
}

TEST(BitPlanTest, APatternThatMatchesNoLayerIsAnError) {
  // A node of that name that is no layer does not count.
  EXPECT_EQ(refusal(plain_network(), {.overrides = {{"conv3", 4, 4}}}),
            "bits: override matches no layer: got 'conv3', expected a layer's name, with * for any "
            "text and ? for one character; try conv1");
  EXPECT_NE(refusal(plain_network(), {.overrides = {{"relu*", 4, 4}}}), "");
}

TEST(BitPlanTest, AtNamesTheLayer) {
  EXPECT_EQ(error_of<Error>([] { make_bit_plan(plain_network(), {}).at("conv7"); }),
            "bits: plan has no such layer: got conv7, expected a layer of the network");
}

TEST(BitPlanTest, NamesAreReadBack) {
  for (const char* name : {"uniq", "lsq", "pact", "dorefa"}) {
    EXPECT_EQ(method_name(parse_method(name)), name);
  }
  for (const char* name : {"layer", "kernel"}) {
    EXPECT_EQ(granularity_name(parse_granularity(name)), name);
  }
  EXPECT_EQ(method_name(Method::dorefa), "dorefa");
  EXPECT_EQ(granularity_name(Granularity::kernel), "kernel");
  EXPECT_EQ(range_name(ActivationRange::image), "image");
  EXPECT_EQ(range_name(ActivationRange::non_negative), "non-negative");
  EXPECT_EQ(range_name(ActivationRange::signed_), "signed");
  EXPECT_EQ(error_of<UsageError>([] { parse_method("lsg"); }),
            "bits: unknown method: got 'lsg', expected one of uniq, lsq, pact, dorefa; try lsq");
  EXPECT_EQ(error_of<UsageError>([] { parse_granularity("kernels"); }),
            "bits: unknown granularity: got 'kernels', expected one of layer, kernel; try kernel");
}

}  // namespace
}  // namespace uniq::graph
