#include "uniq/graph/topology.h"

#include <gtest/gtest.h>

#include "tests/graph/small_networks.h"

namespace uniq::graph {
namespace {

constexpr Conv2d kOne{.out_channels = 4};                               // 1x1
constexpr Conv2d kThree{.out_channels = 4, .kernel = 3, .padding = 1};  // keeps the size

ActivationRange range_at(const Graph& graph, const char* layer) {
  return activation_range(graph, *graph.find(layer));
}

/// The range that a 1x1 convolution finds behind `value`.
ActivationRange range_behind(Builder& b, const Value& value) {
  return range_at(b.finish(value.conv2d("probe", kOne)), "probe");
}

bool downsampling(const Graph& graph, const char* name) {
  return is_downsampling(graph, *graph.find(name));
}

std::vector<std::string> ends(const Graph& graph) {
  std::vector<std::string> names;
  const std::vector<bool> marks = end_layers(graph);
  for (std::size_t i = 0; i < marks.size(); ++i) {
    if (marks[i]) names.push_back(graph.nodes()[i].name);
  }
  return names;
}

TEST(ActivationRangeTest, ThePictureStaysOneThroughPoolsAndDropout) {
  Builder b;
  const Value x = b.input({4, 8, 8}).max_pool("max").avg_pool("mean").dropout("dropout", 0.1);
  EXPECT_EQ(range_behind(b, x.global_avg_pool("pool")), ActivationRange::image);
  Builder flat;
  const Graph graph =
      flat.finish(flat.input({4, 8, 8}).flatten("flatten").linear("fc", {.out_features = 2}));
  EXPECT_EQ(range_at(graph, "fc"), ActivationRange::image);
}

TEST(ActivationRangeTest, BehindAReluNothingIsNegative) {
  for (const bool six : {false, true}) {
    Builder b;
    const Value x = b.input({4, 8, 8}).conv2d("conv", kOne);
    const Value y = six ? x.relu6("act") : x.relu("act");
    EXPECT_EQ(range_behind(b, y.max_pool("max").avg_pool("mean").dropout("dropout", 0.1)),
              ActivationRange::non_negative);
  }
}

TEST(ActivationRangeTest, AReluOfThePictureIsNoPicture) {
  Builder b;
  EXPECT_EQ(range_behind(b, b.input({4, 8, 8}).relu("relu")), ActivationRange::non_negative);
}

TEST(ActivationRangeTest, LayersAndBatchNormsAreSigned) {
  Builder conv;
  EXPECT_EQ(range_behind(conv, conv.input({4, 8, 8}).conv2d("conv", kOne)),
            ActivationRange::signed_);
  Builder norm;
  EXPECT_EQ(range_behind(norm, norm.input({4, 8, 8}).relu("relu").batch_norm("bn")),
            ActivationRange::signed_);
}

TEST(ActivationRangeTest, AnAddIsNonNegativeWhereBothOperandsAre) {
  const auto sum = [](bool first_relu, bool second_relu) {
    Builder b;
    const Value x = b.input({4, 8, 8}).conv2d("conv", kOne);
    const Value y = x.conv2d("conv2", kOne);
    const Value left = first_relu ? x.relu("relu1") : x.batch_norm("bn1");
    const Value right = second_relu ? y.relu("relu2") : y.batch_norm("bn2");
    return range_behind(b, left.add("add", right));
  };
  EXPECT_EQ(sum(true, true), ActivationRange::non_negative);
  EXPECT_EQ(sum(true, false), ActivationRange::signed_);
  EXPECT_EQ(sum(false, true), ActivationRange::signed_);
  EXPECT_EQ(sum(false, false), ActivationRange::signed_);
  Builder b;
  const Value x = b.input({4, 8, 8});
  EXPECT_EQ(range_behind(b, x.add("add", x.max_pool("max", {3, 1, 1}))), ActivationRange::signed_);
}

TEST(ActivationRangeTest, ChainsOfAddsTakeLinearTime) {
  Builder b;
  Value x = b.input({4, 8, 8}).relu("relu");
  for (int i = 0; i < 5000; ++i) x = x.add("add" + std::to_string(i), x);
  EXPECT_EQ(range_behind(b, x), ActivationRange::non_negative);
}

TEST(EndLayers, OfAPlainNetwork) {
  EXPECT_EQ(ends(plain_network()), (std::vector<std::string>{"conv1", "fc"}));
  EXPECT_EQ(ends(residual_network()), (std::vector<std::string>{"stem", "fc"}));
}

TEST(EndLayers, AllThatReadThePictureOrGiveTheResult) {
  Builder b;
  const Value x = b.input({3, 8, 8});
  const Value left = x.batch_norm("bn").conv2d("left", kOne).relu("relu1");
  const Value right = x.max_pool("pool", {3, 1, 1}).conv2d("right", kOne).relu("relu2");
  const Value middle = left.add("add", right).conv2d("middle", kThree).relu("relu3");
  const Graph graph =
      b.finish(middle.conv2d("out1", kOne).add("sum", middle.conv2d("out2", kOne)).relu("relu4"));
  EXPECT_EQ(ends(graph), (std::vector<std::string>{"left", "right", "out1", "out2"}));
}

TEST(EndLayers, OneLayerCanBeBoth) {
  Builder b;
  EXPECT_EQ(ends(b.finish(b.input({3, 8, 8}).conv2d("only", kOne))),
            std::vector<std::string>{"only"});
}

TEST(Downsampling, TheShortcutsConvolutionAlone) {
  const Graph graph = residual_network();
  std::vector<std::string> found;
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (is_downsampling(graph, id)) found.push_back(graph.node(id).name);
  }
  EXPECT_EQ(found, std::vector<std::string>{"downsample"});
}

TEST(Downsampling, BehindABatchNormAndInEitherOrder) {
  for (const bool shortcut_first : {false, true}) {
    Builder b;
    const Value x = b.input({3, 8, 8}).conv2d("stem", kThree).relu("relu");
    const Value body = x.conv2d("body", kThree).batch_norm("bn1");
    const Value shortcut = x.conv2d("shortcut", kOne).batch_norm("bn2");
    const Graph graph =
        b.finish(shortcut_first ? shortcut.add("add", body) : body.add("add", shortcut));
    EXPECT_TRUE(downsampling(graph, "shortcut"));
    EXPECT_FALSE(downsampling(graph, "body"));
  }
}

TEST(Downsampling, NotTheLastConvolutionOfABottleneck) {
  Builder b;
  const Value x = b.input({3, 8, 8}).conv2d("stem", kThree).relu("relu");
  const Value body = x.conv2d("conv1", kOne)
                         .relu("relu1")
                         .conv2d("conv2", kThree)
                         .relu("relu2")
                         .conv2d("conv3", kOne);
  const Graph graph = b.finish(body.add("add", x.conv2d("shortcut", kOne)));
  EXPECT_TRUE(downsampling(graph, "shortcut"));
  EXPECT_FALSE(downsampling(graph, "conv1"));
  EXPECT_FALSE(downsampling(graph, "conv3"));
}

TEST(Downsampling, NotALinearBottleneckWithAnIdentityBehindIt) {
  // Its value is added to what descends from it, but on no other way than through it.
  Builder b;
  const Value x = b.input({3, 8, 8}).conv2d("stem", kThree).relu("relu");
  const Value bottleneck = x.conv2d("project", kOne).batch_norm("bn");
  const Graph graph =
      b.finish(bottleneck.conv2d("body", kThree).batch_norm("bn2").add("add", bottleneck));
  EXPECT_FALSE(downsampling(graph, "project"));
}

TEST(Downsampling, NotABodyBesideAnIdentity) {
  Builder b;
  const Value x = b.input({4, 8, 8}).conv2d("stem", kThree).relu("relu");
  const Graph graph = b.finish(x.conv2d("body", kOne).add("add", x));
  EXPECT_FALSE(downsampling(graph, "body"));
}

TEST(Downsampling, NotALargerKernel) {
  Builder b;
  const Value x = b.input({3, 8, 8}).conv2d("stem", kThree).relu("relu");
  const Value body = x.conv2d("body", kThree);
  EXPECT_FALSE(downsampling(b.finish(body.add("add", x.conv2d("shortcut", kThree))), "shortcut"));
}

}  // namespace
}  // namespace uniq::graph
