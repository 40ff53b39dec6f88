#include "uniq/verify/conv_truth.h"

#include <gtest/gtest.h>
#include <torch/types.h>
#include <torch/utils.h>

#include "tests/verify/small_packed.h"
#include "uniq/graph/builder.h"

namespace uniq::verify {
namespace {

using torch::Tensor;

// Two groups, 3x3, padding 1: a differing code of the second group reaches nine outputs of each of
// its channels.
TEST(ConvTruth, SpoilsTheWindowsThatReadADifferingCode) {
  graph::Builder b;
  const graph::Graph graph =
      b.finish(b.input({4, 5, 5})
                   .conv2d("conv", {.out_channels = 6, .kernel = 3, .padding = 1, .groups = 2})
                   .flatten("flatten")
                   .linear("fc", {.out_features = 3}));
  const train::LoadedNetwork network =
      calibrated(graph, {.weight_bits = 2, .activation_bits = 2}, 5);
  Trained trained(network.network);
  trained.run(torch::randn({2, 4, 5, 5}));
  const ConvTruth truth(trained, *graph.find("conv"), {});
  Deviation input;
  input.spoiled = torch::zeros({2, 4, 5, 5}, torch::kBool);
  input.spoiled[1][3][2][3] = true;
  const Tensor spoiled = truth.behind(input).spoiled;
  Tensor expected = torch::zeros({2, 6, 5, 5}, torch::kBool);
  using torch::indexing::Slice;
  expected.index_put_({1, Slice(3, 6), Slice(1, 4), Slice(2, 5)}, true);
  EXPECT_TRUE(spoiled.equal(expected));
}

}  // namespace
}  // namespace uniq::verify
