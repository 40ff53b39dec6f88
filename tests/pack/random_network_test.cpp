#include "uniq/pack/random_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "uniq/base/error.h"
#include "uniq/graph/builder.h"
#include "uniq/grid/optimal_step.h"
#include "uniq/models/models.h"

namespace uniq::pack {
namespace {

using graph::Graph;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

RandomNetwork made(const Graph& graph, const graph::BitRequest& request, std::uint64_t seed = 1) {
  return random_network(graph, graph::make_bit_plan(graph, request), seed);
}

Graph small_network() {
  graph::Builder b;
  return b.finish(b.input({3, 16, 16})
                      .conv2d("stem", {.out_channels = 32, .kernel = 3, .padding = 1})
                      .batch_norm("bn1")
                      .relu("relu1")
                      .conv2d("conv", {.out_channels = 32, .kernel = 3, .padding = 1})
                      .batch_norm("bn2")
                      .conv2d("behind", {.out_channels = 32, .groups = 32})
                      .relu6("relu2")
                      .global_avg_pool("pool")
                      .flatten("flatten")
                      .linear("fc", {10}));
}

const graph::BitRequest kTwoBits = {.weight_bits = 2, .activation_bits = 2};

double deviation(const std::vector<float>& values) {
  double sum = 0.0;
  double squares = 0.0;
  for (const float v : values) sum += v;
  const double mean = sum / static_cast<double>(values.size());
  for (const float v : values) squares += (v - mean) * (v - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

TEST(RandomNetwork, HasTheTensorsOfItsCheckpoint) {
  for (const graph::BitRequest& request : {kTwoBits, graph::BitRequest{},
                                           graph::BitRequest{.weight_bits = 1,
                                           .activation_bits = 3,
                                           .end_bits = 0,
                                           .granularity = graph::Granularity::kernel}})
    for (const std::string name : {"preact_resnet8", "mobilenetv2", "vgg_small", "lenet"}) {
      SCOPED_TRACE(name);
      const Graph graph = models::build_model(name, models::usual_input(name));
      const RandomNetwork network = made(graph, request);
      std::size_t expected = 0;
      for (const auto& [tensor, shape] : format::expected_tensors(graph, network.info.bit_plan)) {
        if (tensor.ends_with(".num_batches_tracked")) continue;  // nobody runs on it
        ++expected;
        ASSERT_TRUE(network.tensors.contains(tensor)) << tensor;
        std::size_t elements = 1;
        for (const std::int64_t size : shape) elements *= static_cast<std::size_t>(size);
        EXPECT_EQ(network.tensors.at(tensor).size(), elements) << tensor;
      }
      EXPECT_EQ(network.tensors.size(), expected);
      EXPECT_NO_THROW(pack(network.info, tensors_of(network)));
    }
}

TEST(RandomNetwork, IsAFunctionOfTheSeed) {
  const Graph graph = small_network();
  const RandomNetwork one = made(graph, kTwoBits, 7);
  EXPECT_EQ(one.tensors, made(graph, kTwoBits, 7).tensors);
  EXPECT_NE(one.tensors, made(graph, kTwoBits, 8).tensors);
  // The weights do not depend on the bits, nor those of one layer on another's.
  EXPECT_EQ(one.tensors.at("conv.weight"), made(graph, {}, 7).tensors.at("conv.weight"));
}

// Of n draws the deviation errs by its own 1 / sqrt(2 n), the mean by 1 / sqrt(n): five of those.
TEST(RandomNetwork, WeightsAreThoseThatTrainingBeginsWith) {
  const RandomNetwork network = made(small_network(), kTwoBits);
  const std::vector<float>& weights = network.tensors.at("conv.weight");
  const auto n = static_cast<double>(weights.size());
  const double expected = std::sqrt(2.0 / (32 * 9));
  EXPECT_NEAR(deviation(weights), expected, 5 * expected / std::sqrt(2 * n));
  double sum = 0.0;
  for (const float w : weights) sum += w;
  EXPECT_NEAR(sum / n, 0.0, 5 * expected / std::sqrt(n));
  EXPECT_EQ(network.tensors.at("fc.bias"), std::vector<float>(10, 0.0f));
}

// docs/method.md, "First values of the steps".
TEST(RandomNetwork, StepsAreThoseOfCalibration) {
  const RandomNetwork network = made(small_network(), kTwoBits);
  const auto step = [&](const std::string& name) { return network.tensors.at(name).at(0); };
  const double gauss = optimal_step(Source::gaussian, Grid::mid_rise, 2);
  const double half = optimal_step(Source::half_normal, Grid::unsigned_, 2);
  const double eight = optimal_step(Source::gaussian, Grid::mid_rise, 8);
  constexpr double kRounded = 1e-6;  // a few roundings to fp32
  const double weights = gauss * deviation(network.tensors.at("conv.weight"));
  EXPECT_NEAR(step("conv.quan_w.delta"), weights, kRounded * weights);
  EXPECT_NEAR(step("stem.quan_a.delta"), eight, kRounded * eight);  // normalised pictures
  // Batch norms make deviations of 1, but for their eps, a hundred thousandth of the variance or
  // less here.
  EXPECT_NEAR(step("conv.quan_a.delta"), half, 1e-4 * half);
  EXPECT_NEAR(step("behind.quan_a.delta"), gauss, 1e-4 * gauss);
  EXPECT_EQ(network.info.bit_plan.at("behind").activation_grid, Grid::mid_tread);
}

TEST(RandomNetwork, BatchNormsHaveTheStatisticsOfTheirInput) {
  const RandomNetwork network = made(small_network(), {});  // fp32: nothing but sums of products
  const std::vector<float>& weights = network.tensors.at("stem.weight");
  for (std::size_t c = 0; c < 32; ++c) {
    double squares = 0.0;
    for (std::size_t i = 0; i < 27; ++i) squares += std::pow(weights[c * 27 + i], 2);
    EXPECT_EQ(network.tensors.at("bn1.running_mean")[c], 0.0f);
    EXPECT_NEAR(network.tensors.at("bn1.running_var")[c], squares, 1e-6 * squares);
  }
}

TEST(RandomNetwork, CutsPicturesAsImageNetIsTested) {
  const auto preprocessing = [](const std::string& model) {
    const Graph graph = models::build_model(model, models::usual_input(model));
    return made(graph, {}).info.preprocessing;
  };
  EXPECT_EQ(preprocessing("mobilenetv2").resize, "shorter:256");
  EXPECT_EQ(preprocessing("mobilenetv2").height, 224);
  EXPECT_EQ(preprocessing("lenet").resize, "shorter:32");
  EXPECT_EQ(preprocessing("lenet").mean.size(), 1u);
}

TEST(RandomNetwork, IsOnlyUniQs) {
  const Graph graph = small_network();
  EXPECT_THAT(
      [&] { made(graph, {.method = graph::Method::lsq, .weight_bits = 2, .activation_bits = 2}); },
      ThrowsMessage<UsageError>(HasSubstr("got method lsq, expected method uniq")));
}

}  // namespace
}  // namespace uniq::pack
