#include "uniq/graph/parameters.h"

#include <gtest/gtest.h>

#include "uniq/graph/builder.h"

namespace uniq::graph {
namespace {

using Shape1 = std::vector<std::int64_t>;

TEST(Parameters, HaveTheNamesAndShapesOfPyTorch) {
  Builder b;
  const Graph graph =
      b.finish(b.input({4, 8, 8})
                   .conv2d("conv", {.out_channels = 6, .kernel = {3, 5}, .groups = 2, .bias = true})
                   .batch_norm("bn")
                   .relu("relu")
                   .flatten("flatten")
                   .linear("fc", {.out_features = 10}));
  const auto tensors = [&](const char* name) { return tensors_of(graph, *graph.find(name)); };

  ASSERT_EQ(tensors("conv").size(), 2u);
  EXPECT_EQ(tensors("conv")[0].name, "conv.weight");
  EXPECT_EQ(tensors("conv")[0].shape, (Shape1{6, 2, 3, 5}));
  EXPECT_EQ(tensors("conv")[0].elements(), 180);
  EXPECT_TRUE(tensors("conv")[0].learned);
  EXPECT_EQ(tensors("conv")[1].name, "conv.bias");
  EXPECT_EQ(tensors("conv")[1].shape, Shape1{6});

  std::vector<std::string> names;
  std::vector<bool> learned;
  for (const TensorInfo& tensor : tensors("bn")) {
    names.push_back(tensor.name);
    learned.push_back(tensor.learned);
    EXPECT_EQ(tensor.shape, Shape1{6});
  }
  EXPECT_EQ(names, (std::vector<std::string>{"bn.weight", "bn.bias", "bn.running_mean",
                                             "bn.running_var"}));
  EXPECT_EQ(learned, (std::vector<bool>{true, true, false, false}));

  ASSERT_EQ(tensors("fc").size(), 2u);
  EXPECT_EQ(tensors("fc")[0].shape, (Shape1{10, 6 * 6 * 4}));
  EXPECT_EQ(tensors("fc")[1].name, "fc.bias");
  for (const char* name : {"input", "relu", "flatten", "output"}) {
    EXPECT_TRUE(tensors(name).empty()) << name;
  }
}

TEST(Parameters, BiasesOnlyWhereThereAreSome) {
  Builder b;
  const Graph graph = b.finish(b.input({4, 1, 1})
                                   .conv2d("conv", {.out_channels = 2})
                                   .flatten("flatten")
                                   .linear("fc", {.out_features = 3, .bias = false}));
  EXPECT_EQ(tensors_of(graph, *graph.find("conv")).size(), 1u);
  EXPECT_EQ(tensors_of(graph, *graph.find("fc")).size(), 1u);
}

}  // namespace
}  // namespace uniq::graph
