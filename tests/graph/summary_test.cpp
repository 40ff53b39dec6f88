#include "uniq/graph/summary.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/graph/expect_error.h"
#include "tests/graph/small_networks.h"
#include "uniq/base/error.h"

namespace uniq::graph {
namespace {

Summary residual_summary(const BitRequest& request) {
  const Graph graph = residual_network();
  return summarize(graph, make_bit_plan(graph, request));
}

// Weights of the residual network: stem 4 x 3 x 3x3 = 108, conv1 8 x 4 x 3x3 = 288,
// conv2 8 x 8 x 3x3 = 576, downsample 8 x 4 = 32, fc 10 x 8 = 80 and 10 biases;
// batch norms 2 x 4 and 2 x 8. Maps: 8x8 behind the stem, then 4x4.
constexpr std::int64_t kParameters = 108 + 288 + 576 + 32 + 90 + 24;
constexpr std::int64_t kMacs = 108 * 64 + (288 + 576 + 32) * 16 + 80;

TEST(SummaryTest, CountsAnFp32Network) {
  const Summary summary = residual_summary({});
  ASSERT_EQ(summary.layers.size(), 5u);
  EXPECT_EQ(summary.batch_norms, 2);
  EXPECT_EQ(summary.batch_norm_parameters, 24);
  EXPECT_EQ(summary.parameters, kParameters);
  EXPECT_EQ(summary.macs, kMacs);
  EXPECT_EQ(summary.quantized_macs, 0);
  EXPECT_EQ(summary.fp32_bytes, 4 * kParameters);
  EXPECT_EQ(summary.weight_bytes, 4 * kParameters);
  EXPECT_EQ(summary.compression(), 1.0);
  EXPECT_EQ(summary.quantized_share(), 0.0);
}

TEST(SummaryTest, SizesOfAQuantizedNetwork) {
  const Summary summary = residual_summary({.weight_bits = 3, .activation_bits = 3});
  const LayerSummary& stem = summary.layers[0];
  EXPECT_EQ(stem.name, "stem");
  EXPECT_EQ(stem.op, "conv2d");
  EXPECT_EQ(stem.in, (Shape{3, 8, 8}));
  EXPECT_EQ(stem.out, (Shape{4, 8, 8}));
  EXPECT_EQ(stem.bits.range, ActivationRange::image);
  EXPECT_EQ(stem.parameters, 108);
  EXPECT_EQ(stem.macs, 108 * 64);
  EXPECT_EQ(stem.weight_bytes, 108 + 8);  // 8 bits, two steps
  EXPECT_EQ(stem.fp32_bytes, 432);
  EXPECT_EQ(summary.layers[1].weight_bytes, 108 + 8);      // 288 at 3 bits
  EXPECT_EQ(summary.layers[2].weight_bytes, 216 + 8);      // 576 at 3 bits
  EXPECT_EQ(summary.layers[3].weight_bytes, 12 + 8);       // 32 at 3 bits
  EXPECT_EQ(summary.layers[4].weight_bytes, 80 + 8 + 40);  // 8 bits, 10 biases
  EXPECT_EQ(summary.weight_bytes, 116 + 116 + 224 + 20 + 128 + 96);
  EXPECT_EQ(summary.fp32_bytes, 4 * kParameters);
  EXPECT_EQ(summary.quantized_macs, kMacs);
  EXPECT_EQ(summary.quantized_share(), 1.0);
  EXPECT_DOUBLE_EQ(summary.compression(), 4.0 * kParameters / 700.0);
}

TEST(SummaryTest, BitsAreRoundedUpToBytesAndKernelsHaveTheirSteps) {
  Builder b;
  const Graph graph = b.finish(b.input({1, 3, 3})
                                   .relu("relu")
                                   .conv2d("a", {.out_channels = 1, .kernel = 3})
                                   .relu("relu1")
                                   .conv2d("b", {.out_channels = 3, .bias = true})
                                   .relu("relu2")
                                   .conv2d("c", {.out_channels = 1}));
  BitRequest request{.weight_bits = 1, .activation_bits = 2, .end_bits = 1};
  request.granularity = Granularity::kernel;
  const Summary summary = summarize(graph, make_bit_plan(graph, request));
  EXPECT_EQ(summary.layers[0].weight_bytes, 2 + 8);            // 9 bits
  EXPECT_EQ(summary.layers[1].weight_bytes, 1 + 4 * (3 + 4));  // 3 biases, 3 + 1 steps
}

TEST(SummaryTest, OneBitNetworksAreInPartFp32) {
  const Summary summary = residual_summary({.weight_bits = 1, .activation_bits = 1});
  EXPECT_EQ(summary.quantized_macs, (288 + 576) * 16);
  EXPECT_EQ(summary.layers[3].weight_bytes, 4 * 32);
  EXPECT_EQ(summary.layers[1].weight_bytes, 36 + 8);
}

TEST(SummaryTest, ThePlanMustBeOfTheNetwork) {
  EXPECT_EQ(
      error_of<Error>([] { summarize(residual_network(), make_bit_plan(plain_network(), {})); }),
      "bits: plan has no such layer: got stem, expected a layer of the network");
}

TEST(SummaryTest, TableIsAligned) {
  const Summary summary = residual_summary({.weight_bits = 1, .activation_bits = 1});
  // clang-format off
  EXPECT_EQ(to_table(summary),
            "layer       type        output  bits w/a  grids w/a          parameters    MACs     size  fp32 size\n"
            "stem        conv2d      4x8x8   fp32      -                         108   6,912    432 B      432 B\n"
            "conv1       conv2d      8x4x4   1/1       mid-rise/unsigned         288   4,608     44 B    1.15 kB\n"
            "conv2       conv2d      8x4x4   1/1       mid-rise/unsigned         576   9,216     80 B     2.3 kB\n"
            "downsample  conv2d      8x4x4   fp32      -                          32     512    128 B      128 B\n"
            "fc          linear      10      fp32      -                          90      80    360 B      360 B\n"
            "2 nodes     batch_norm          fp32      -                          24       0     96 B       96 B\n"
            "total                                                             1,118  21,328  1.14 kB    4.47 kB\n"
            "1.14 kB instead of 4.47 kB, 3.92 times smaller; 64.8 % of the multiply-accumulates are quantized.\n");
  // clang-format on
}

TEST(SummaryTest, JsonHoldsTheSame) {
  const Summary summary = residual_summary({.weight_bits = 1, .activation_bits = 1});
  const nlohmann::json json = nlohmann::json::parse(to_json(summary));
  ASSERT_EQ(json["layers"].size(), 5u);
  EXPECT_EQ(json["layers"][0], (nlohmann::json{{"name", "stem"},
                                               {"type", "conv2d"},
                                               {"input_shape", "3x8x8"},
                                               {"output_shape", "4x8x8"},
                                               {"weight_bits", 32},
                                               {"activation_bits", 32},
                                               {"activation_range", "image"},
                                               {"parameters", 108},
                                               {"macs", 6912},
                                               {"weight_bytes", 432},
                                               {"fp32_bytes", 432}}));
  EXPECT_EQ(json["layers"][1]["weight_grid"], "mid-rise");
  EXPECT_EQ(json["layers"][1]["activation_grid"], "unsigned");
  EXPECT_EQ(json["layers"][1]["granularity"], "layer");
  EXPECT_EQ(json["layers"][1]["activation_bits"], 1);
  EXPECT_EQ(json["parameters"], kParameters);
  EXPECT_EQ(json["macs"], kMacs);
  EXPECT_EQ(json["batch_norm_parameters"], 24);
  EXPECT_EQ(json["weight_bytes"], summary.weight_bytes);
  EXPECT_EQ(json["quantized_share"], summary.quantized_share());
}

}  // namespace
}  // namespace uniq::graph
