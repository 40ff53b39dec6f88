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

TEST(GoldenNames, PreactResNet32) {
  std::ifstream file(UNIQ_GOLDEN "/state_dicts.json");
  const Json dicts = Json::parse(file);
  Shapes expected;
  for (const auto& [name, shape] : dicts["preact_resnet32_cifar100"].items()) {
    if (!is_bookkeeping(name)) expected[name] = shape.get<std::vector<std::int64_t>>();
  }
  EXPECT_EQ(shapes_of(build_model("preact_resnet32", {3, 32, 32, 100})), expected);
}

}  // namespace
}  // namespace uniq::models
