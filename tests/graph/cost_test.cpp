#include "uniq/graph/cost.h"

#include <gtest/gtest.h>

#include "tests/graph/small_networks.h"

namespace uniq::graph {
namespace {

Cost cost_of(const Graph& graph, const char* name) { return node_cost(graph, *graph.find(name)); }

TEST(Cost, PerNodeAndInTotal) {
  const Graph graph = plain_network();
  EXPECT_EQ(cost_of(graph, "conv1"), (Cost{108, 108 * 64}));      // 4 x 3 x 3x3, at 8x8
  EXPECT_EQ(cost_of(graph, "conv2"), (Cost{216 + 6, 216 * 36}));  // 6 x 4 x 3x3 + 6, at 6x6
  EXPECT_EQ(cost_of(graph, "fc"), (Cost{60 + 10, 60}));
  EXPECT_EQ(cost_of(graph, "relu1"), Cost{});
  EXPECT_EQ(cost_of(graph, "input"), Cost{});
  EXPECT_EQ(total_cost(graph), (Cost{108 + 222 + 70, 6912 + 7776 + 60}));
}

TEST(Cost, BatchNormHasScaleAndShift) {
  EXPECT_EQ(cost_of(residual_network(), "bn2"), (Cost{16, 0}));
}

TEST(Cost, GroupsDivideIt) {
  Builder b;
  const Graph graph = b.finish(b.input({8, 5, 5}).conv2d(
      "conv", {.out_channels = 16, .kernel = 3, .stride = 2, .padding = 1, .groups = 8}));
  EXPECT_EQ(cost_of(graph, "conv"), (Cost{16 * 9, 16 * 9 * 9}));  // at 3x3
}

TEST(Cost, TheLargestLayerFitsIntoSixtyFourBits) {
  Builder b;
  const Graph graph =
      b.finish(b.input({1, 1 << 15, 1 << 15})
                   .conv2d("conv", {.out_channels = 1})
                   .conv2d("deep", {.out_channels = 1, .kernel = {127, 128}, .padding = {63, 64}}));
  // 127 x 128 weights at 2^15 x (2^15 + 1) positions: 1.7e13, just below the bound of 2^44.
  EXPECT_EQ(cost_of(graph, "deep").macs,
            std::int64_t{127 * 128} * (std::int64_t{1} << 15) * ((1 << 15) + 1));
}

}  // namespace
}  // namespace uniq::graph
