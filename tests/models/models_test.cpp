#include "uniq/models/models.h"

#include <gtest/gtest.h>

#include "uniq/base/error.h"
#include "uniq/graph/bit_plan.h"
#include "uniq/graph/cost.h"
#include "uniq/graph/text.h"

namespace uniq::models {
namespace {

using graph::Graph;
using graph::Shape;

std::string refusal(const std::string& name, const ModelInput& input) {
  try {
    build_model(name, input);
  } catch (const UsageError& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

Shape shape_at(const Graph& graph, const std::string& name) {
  return graph.node(graph.find(name).value()).shape;
}

TEST(Models, AllFitTheUsualPictures) {
  for (const std::string& name : model_names()) {
    for (const ModelInput& input :
         {ModelInput{1, 28, 28, 10}, ModelInput{3, 32, 32, 100}, ModelInput{3, 40, 33, 7}}) {
      const Graph graph = build_model(name, input);
      EXPECT_EQ(graph.node(graph.input()).shape,
                (Shape{input.channels, input.height, input.width}));
      EXPECT_EQ(graph.node(graph.output()).shape, (Shape{input.classes, 0, 0}));
      EXPECT_EQ(graph::parse_graph(graph::to_text(graph), name), graph);
    }
  }
}

TEST(Models, EveryMethodCanQuantizeThem) {
  using graph::Method;
  for (const std::string& name : model_names()) {
    const Graph graph = build_model(name, {1, 28, 28, 10});
    for (const Method method : {Method::uniq, Method::lsq, Method::pact, Method::dorefa}) {
      if (name == "mobilenetv2") continue;  // below
      const graph::BitPlan plan =
          graph::make_bit_plan(graph, {.method = method, .weight_bits = 2, .activation_bits = 2});
      for (const auto& [layer, bits] : plan.layers) {
        EXPECT_NE(bits.range, graph::ActivationRange::signed_) << name << " " << layer;
      }
    }
  }
}

// The convolution behind a linear bottleneck reads values of either sign.
TEST(Models, MobileNetV2HasSignedActivationsBehindItsBottlenecks) {
  using graph::Method;
  const Graph graph = build_model("mobilenetv2", {3, 224, 224, 1000});
  const graph::BitPlan plan = graph::make_bit_plan(graph, {.weight_bits = 4, .activation_bits = 4});
  int signed_layers = 0;
  for (const auto& [layer, bits] : plan.layers) {
    if (bits.range != graph::ActivationRange::signed_) continue;
    ++signed_layers;
    EXPECT_TRUE(layer.ends_with(".conv.0.0") || layer == "features.18.0") << layer;
    EXPECT_EQ(bits.activation_grid, Grid::mid_tread) << layer;
  }
  EXPECT_EQ(signed_layers, 17);  // the expansions of blocks 2 to 17, and the last convolution
  EXPECT_EQ(plan.at("features.1.conv.0.0").range, graph::ActivationRange::non_negative);
  EXPECT_EQ(plan.at("classifier.1").weight_bits, 8);
  EXPECT_NO_THROW(
      graph::make_bit_plan(graph, {.method = Method::lsq, .weight_bits = 2, .activation_bits = 2}));
  EXPECT_THROW(
      graph::make_bit_plan(graph, {.method = Method::pact, .weight_bits = 2, .activation_bits = 2}),
      UsageError);
}

TEST(Models, UsualInputsFit) {
  for (const std::string& name : model_names()) {
    const ModelInput input = usual_input(name);
    EXPECT_EQ(build_model(name, input).node(0).shape,
              (Shape{input.channels, input.height, input.width}));
  }
  EXPECT_EQ(usual_input("mobilenetv2").height, 224);
  EXPECT_EQ(usual_input("preact_resnet34").classes, 1000);
  EXPECT_EQ(usual_input("lenet").channels, 1);
  EXPECT_THROW(usual_input("alexnet"), UsageError);
}

// For 3x32x32 and 10 classes, by hand. Weights of the convolutions:
//   stem    16 x 3 x 9 = 432
//   stage 1  6 x (16 x 16 x 9 = 2304)                                  = 13824
//   stage 2  32 x 16 x 9 = 4608, 5 x 9216, shortcut 32 x 16 = 512       = 51200
//   stage 3  64 x 32 x 9 = 18432, 5 x 36864, shortcut 64 x 32 = 2048   = 204800
// fc 640 + 10. Batch norms, 2 per channel: 6 x 32; 32 + 5 x 64; 64 + 5 x 128; 128 = 1376.
TEST(Models, PreactResNet20CountedByHand) {
  const graph::Cost cost = graph::total_cost(build_model("preact_resnet20", {3, 32, 32, 10}));
  EXPECT_EQ(cost.parameters, 432 + 13824 + 51200 + 204800 + 650 + 1376);
  EXPECT_EQ(cost.parameters, 272282);
  // At 32x32 = 1024 positions, then 256, then 64.
  EXPECT_EQ(cost.macs, (432 + 13824) * 1024 + 51200 * 256 + 204800 * 64 + 640);
  EXPECT_EQ(cost.macs, 40813184);
}

TEST(Models, PreactResNetsHaveTheirDepth) {
  for (const int depth : {8, 20, 32, 44, 56}) {
    const Graph graph = build_model("preact_resnet" + std::to_string(depth), {3, 32, 32, 10});
    int layers = 0;
    int shortcuts = 0;
    for (graph::NodeId id = 0; id < graph.size(); ++id) {
      layers += graph::is_layer(graph.node(id)) ? 1 : 0;
      shortcuts += graph::is_downsampling(graph, id) ? 1 : 0;
    }
    EXPECT_EQ(shortcuts, 2);
    EXPECT_EQ(layers - shortcuts, depth);
  }
}

TEST(Models, PreactResNetsAreWiredAsPublished) {
  const Graph graph = build_model("preact_resnet20", {1, 28, 28, 10});
  const auto reads = [&](const std::string& name) {
    std::vector<std::string> names;
    for (const graph::NodeId id : graph.node(graph.find(name).value()).inputs) {
      names.push_back(graph.node(id).name);
    }
    return names;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(reads("layer1.0.bn1"), Names{"conv1"});
  EXPECT_EQ(reads("layer1.0.add"), (Names{"layer1.0.conv2", "conv1"}));
  EXPECT_EQ(reads("layer1.1.add"), (Names{"layer1.1.conv2", "layer1.0.add"}));
  EXPECT_EQ(reads("layer2.0.downsample.0"), Names{"layer2.0.relu1"});
  EXPECT_EQ(reads("layer2.0.add"), (Names{"layer2.0.conv2", "layer2.0.downsample.0"}));
  EXPECT_EQ(reads("bn"), Names{"layer3.2.add"});
  EXPECT_EQ(shape_at(graph, "layer1.2.add"), (Shape{16, 28, 28}));
  EXPECT_EQ(shape_at(graph, "layer2.0.downsample.0"), (Shape{32, 14, 14}));
  EXPECT_EQ(shape_at(graph, "layer3.2.add"), (Shape{64, 7, 7}));
}

// ResNet-18 of torchvision has 11689512 parameters and 1814073344 multiply-accumulates. Here
//   the 3 shortcuts have no batch norms:                    -2 (128 + 256 + 512)
//   the first batch norm of their blocks is the input's:    -2 (64 + 128 + 256)
//   one more stands at the end:                             +2 x 512
TEST(Models, PreactResNet18CountedFromResNet18) {
  const graph::Cost cost = graph::total_cost(build_model("preact_resnet18", {3, 224, 224, 1000}));
  EXPECT_EQ(cost.parameters, 11689512 - 2 * 896 - 2 * 448 + 2 * 512);
  EXPECT_EQ(cost.macs, 1814073344);
}

// ResNet-34: 21797672 and 3663761408, with the same differences.
TEST(Models, PreactResNet34CountedFromResNet34) {
  const graph::Cost cost = graph::total_cost(build_model("preact_resnet34", {3, 224, 224, 1000}));
  EXPECT_EQ(cost.parameters, 21797672 - 2 * 896 - 2 * 448 + 2 * 512);
  EXPECT_EQ(cost.macs, 3663761408);
}

TEST(Models, ImageNetResNetsAreWiredAsPublished) {
  const Graph graph = build_model("preact_resnet18", {3, 224, 224, 1000});
  EXPECT_EQ(shape_at(graph, "conv1"), (Shape{64, 112, 112}));
  EXPECT_EQ(shape_at(graph, "maxpool"), (Shape{64, 56, 56}));
  EXPECT_EQ(shape_at(graph, "layer4.1.add"), (Shape{512, 7, 7}));
  const auto reads = [&](const std::string& name) {
    return graph.node(graph.node(graph.find(name).value()).inputs[0]).name;
  };
  EXPECT_EQ(reads("layer1.0.bn1"), "maxpool");
  EXPECT_EQ(reads("layer2.0.shortcut.0"), "layer2.0.relu1");
  EXPECT_EQ(reads("bn2"), "layer4.1.add");
  for (const auto& [name, depth] : {std::pair("preact_resnet18", 18), {"preact_resnet34", 34}}) {
    const Graph deep = build_model(name, {3, 1, 1, 2});  // any size fits
    int layers = 0;
    int shortcuts = 0;
    for (graph::NodeId id = 0; id < deep.size(); ++id) {
      layers += graph::is_layer(deep.node(id)) ? 1 : 0;
      shortcuts += graph::is_downsampling(deep, id) ? 1 : 0;
    }
    EXPECT_EQ(shortcuts, 3);
    EXPECT_EQ(layers - shortcuts, depth);
  }
}

// The paper's table 4: 3.4 M parameters and 300 M multiply-accumulates; torchvision's sums.
TEST(Models, MobileNetV2CountedAsTorchvisions) {
  const Graph graph = build_model("mobilenetv2", {3, 224, 224, 1000});
  const graph::Cost cost = graph::total_cost(graph);
  EXPECT_EQ(cost.parameters, 3504872);
  EXPECT_EQ(cost.macs, 300774272);
  EXPECT_EQ(shape_at(graph, "features.18.2"), (Shape{1280, 7, 7}));
  int adds = 0;
  for (const graph::Node& node : graph.nodes()) adds += node.as<graph::Add>() != nullptr;
  EXPECT_EQ(adds, 10);
}

TEST(Models, PreactResNetsTakeAnySize) {
  EXPECT_EQ(shape_at(build_model("preact_resnet8", {3, 1, 1, 2}), "layer3.0.add"),
            (Shape{64, 1, 1}));
  EXPECT_EQ(shape_at(build_model("preact_resnet8", {3, 7, 224, 2}), "layer3.0.add"),
            (Shape{64, 2, 56}));
}

TEST(Models, VggSmallCountedByHand) {
  const Graph graph = build_model("vgg_small", {1, 28, 28, 10});
  EXPECT_EQ(shape_at(graph, "layer3.pool"), (Shape{128, 3, 3}));
  // 3x3 convolutions 1-32-32, 32-64-64, 64-128-128; batch norms; fc.
  const std::int64_t stage1 = 9 * (32 + 32 * 32);
  const std::int64_t stage2 = 9 * (32 * 64 + 64 * 64);
  const std::int64_t stage3 = 9 * (64 * 128 + 128 * 128);
  const graph::Cost cost = graph::total_cost(graph);
  EXPECT_EQ(cost.parameters, stage1 + stage2 + stage3 + 4 * (32 + 64 + 128) + 1290);
  EXPECT_EQ(cost.macs, stage1 * 784 + stage2 * 196 + stage3 * 49 + 1280);
}

TEST(Models, LenetCountedByHand) {
  const Graph graph = build_model("lenet", {1, 28, 28, 10});
  EXPECT_EQ(shape_at(graph, "flatten"), (Shape{32 * 5 * 5, 0, 0}));
  const graph::Cost cost = graph::total_cost(graph);
  EXPECT_EQ(cost.parameters, 25 * 16 + 25 * 16 * 32 + 2 * (16 + 32) + 801 * 120 + 121 * 84 + 850);
  EXPECT_EQ(cost.macs, 400 * 784 + 12800 * 100 + 800 * 120 + 120 * 84 + 840);
}

TEST(Models, PicturesThatAreTooSmallAreRefused) {
  EXPECT_EQ(refusal("lenet", {1, 11, 28, 10}),
            "pictures are too small for the model (lenet): got 11x28, expected at least 12x12; try "
            "preact_resnet20, which takes any size");
  EXPECT_EQ(refusal("vgg_small", {3, 8, 7, 10}),
            "pictures are too small for the model (vgg_small): got 8x7, expected at least 8x8; try "
            "preact_resnet20, which takes any size");
  EXPECT_EQ(build_model("lenet", {1, 12, 12, 10}).node(0).shape, (Shape{1, 12, 12}));
  EXPECT_EQ(build_model("vgg_small", {1, 8, 8, 10}).node(0).shape, (Shape{1, 8, 8}));
  EXPECT_EQ(refusal("preact_resnet20", {3, 0, 32, 10}),
            "pictures are too small for the model (preact_resnet20): got 0x32, expected at least "
            "1x1");
}

TEST(Models, OtherNumbersOutOfRangeAreRefused) {
  EXPECT_NE(refusal("lenet", {0, 28, 28, 10}).find("channels out of range (node input): got 0"),
            std::string::npos);
  EXPECT_NE(refusal("lenet", {1, 28, 28, 0}).find("output features out of range (node fc3)"),
            std::string::npos);
}

TEST(Models, UnknownNamesAreRefusedWithTheNearest) {
  EXPECT_EQ(refusal("preact_resnet23", {3, 32, 32, 10}),
            "model is not known (preact_resnet23): expected one of preact_resnet8, "
            "preact_resnet20, preact_resnet32, preact_resnet44, preact_resnet56, preact_resnet18, "
            "preact_resnet34, mobilenetv2, vgg_small, lenet, or a file that ends in .graph; try "
            "preact_resnet20");
  EXPECT_EQ(refusal("x", {3, 32, 32, 10}).find("; try"), std::string::npos);
}

}  // namespace
}  // namespace uniq::models
