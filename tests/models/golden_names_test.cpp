// The parameters of the built-in networks against those of the authors' published code.
#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "uniq/graph/parameters.h"
#include "uniq/models/models.h"

namespace uniq::models {
namespace {

using Json = nlohmann::json;
using Shapes = std::map<std::string, std::vector<std::int64_t>>;

Shapes shapes_of(const graph::Graph& graph) {
  Shapes shapes;
  for (graph::NodeId id = 0; id < graph.size(); ++id) {
    for (const graph::TensorInfo& tensor : graph::tensors_of(graph, id)) {
      EXPECT_TRUE(shapes.emplace(tensor.name, tensor.shape).second) << tensor.name;
    }
  }
  return shapes;
}

/// Steps and other records of quantizers, and batch norm's count of batches.
bool is_bookkeeping(const std::string& name) {
  return name.find(".quan_") != std::string::npos || name.ends_with(".num_batches_tracked");
}

/// The JSON header of a safetensors file: 8 bytes of length, then the text.
Json safetensors_header(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char bytes[8] = {};
  file.read(bytes, sizeof(bytes));
  std::uint64_t length = 0;
  std::memcpy(&length, bytes, sizeof(length));
  static_assert(std::endian::native == std::endian::little);
  std::string text(length, '\0');
  file.read(text.data(), static_cast<std::streamsize>(length));
  return Json::parse(text);
}

TEST(GoldenNames, PreactResNet8) {
  for (const char* bits : {"1", "2"}) {
    const Json header = safetensors_header(std::string(UNIQ_GOLDEN) +
                                           "/trajectory_preact_resnet8_b" + bits + ".safetensors");
    const std::string prefix = "initial.";
    Shapes expected;
    for (const auto& [name, tensor] : header.items()) {
      if (!name.starts_with(prefix) || is_bookkeeping(name)) continue;
      expected[name.substr(prefix.size())] = tensor["shape"].get<std::vector<std::int64_t>>();
    }
    ASSERT_EQ(expected.size(), 39u);
    EXPECT_EQ(shapes_of(build_model("preact_resnet8", {3, 8, 8, 10})), expected);
  }
}

/// One of the networks of state_dicts.json.
Shapes published(const std::string& network) {
  std::ifstream file(UNIQ_GOLDEN "/state_dicts.json");
  const Json dicts = Json::parse(file);
  Shapes shapes;
  for (const auto& [name, shape] : dicts[network].items()) {
    if (!is_bookkeeping(name)) shapes[name] = shape.get<std::vector<std::int64_t>>();
  }
  return shapes;
}

TEST(GoldenNames, PreactResNet32) {
  EXPECT_EQ(shapes_of(build_model("preact_resnet32", {3, 32, 32, 100})),
            published("preact_resnet32_cifar100"));
}

TEST(GoldenNames, PreactResNet18) {
  EXPECT_EQ(shapes_of(build_model("preact_resnet18", {3, 224, 224, 1000})),
            published("preact_resnet18_imagenet"));
}

TEST(GoldenNames, PreactResNet34) {
  EXPECT_EQ(shapes_of(build_model("preact_resnet34", {3, 224, 224, 1000})),
            published("preact_resnet34_imagenet"));
}

// The published MobileNetV2 is not torchvision's (tests/golden/README.md); these are.
TEST(GoldenNames, MobileNetV2HasTorchvisions) {
  const Shapes shapes = shapes_of(build_model("mobilenetv2", {3, 224, 224, 1000}));
  const Shapes expected = {
      {"features.0.0.weight", {32, 3, 3, 3}},
      {"features.0.1.running_var", {32}},
      {"features.1.conv.0.0.weight", {32, 1, 3, 3}},
      {"features.1.conv.0.1.weight", {32}},
      {"features.1.conv.1.weight", {16, 32, 1, 1}},
      {"features.1.conv.2.bias", {16}},
      {"features.2.conv.0.0.weight", {96, 16, 1, 1}},
      {"features.2.conv.0.1.running_mean", {96}},
      {"features.2.conv.1.0.weight", {96, 1, 3, 3}},
      {"features.2.conv.1.1.weight", {96}},
      {"features.2.conv.2.weight", {24, 96, 1, 1}},
      {"features.2.conv.3.weight", {24}},
      {"features.17.conv.2.weight", {320, 960, 1, 1}},
      {"features.18.0.weight", {1280, 320, 1, 1}},
      {"features.18.1.weight", {1280}},
      {"classifier.1.weight", {1000, 1280}},
      {"classifier.1.bias", {1000}},
  };
  for (const auto& [name, shape] : expected) {
    ASSERT_TRUE(shapes.contains(name)) << name;
    EXPECT_EQ(shapes.at(name), shape) << name;
  }
  // 52 convolutions, each with a batch norm of 4 tensors, and the classifier's 2: torchvision's
  // state dict has these 262 and 52 counters of batches.
  EXPECT_EQ(shapes.size(), 52u * 5 + 2);
}

}  // namespace
}  // namespace uniq::models
