#include "tests/support/random_tensors.h"

#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace uniq::testing {
namespace {

bool ends_with(const std::string& name, const char* end) { return name.ends_with(end); }

float draw(const std::string& name, const std::vector<std::int64_t>& shape,
           std::mt19937_64& random) {
  std::normal_distribution<float> normal;
  std::uniform_real_distribution<float> uniform(0.5f, 1.5f);
  double fan_in = 1.0;
  for (std::size_t i = 1; i < shape.size(); ++i) fan_in *= static_cast<double>(shape[i]);
  const auto spread = static_cast<float>(1.0 / std::sqrt(fan_in));
  if (ends_with(name, "quan_w.delta")) return spread * 0.3f * uniform(random);
  if (ends_with(name, "quan_a.delta")) return 0.3f * uniform(random);
  if (ends_with(name, "quan_a.alpha")) return 2.0f * uniform(random);
  if (ends_with(name, ".running_var")) return uniform(random);
  if (shape.size() > 1) return 1.5f * spread * normal(random);
  // A batch norm's factor, or any bias or mean.
  return ends_with(name, ".weight") ? normal(random) : 0.3f * normal(random);
}

}  // namespace

pack::TensorSource random_tensors(const graph::Graph& graph, const graph::BitPlan& plan,
                                  std::uint64_t seed) {
  const auto shapes = format::expected_tensors(graph, plan);
  return [shapes, seed](const std::string& name) {
    const std::vector<std::int64_t>& shape = shapes.at(name);
    std::int64_t elements = 1;
    for (const std::int64_t size : shape) elements *= size;
    std::mt19937_64 random(seed ^ std::hash<std::string>{}(name));
    std::vector<float> values;
    for (std::int64_t i = 0; i < elements; ++i) values.push_back(draw(name, shape, random));
    return values;
  };
}

format::CheckpointInfo checkpoint_info(const graph::Graph& graph, const graph::BitPlan& plan) {
  const graph::Shape& input = graph.node(graph.input()).shape;
  format::CheckpointInfo info{graph, plan, {}, {}, {}};
  info.preprocessing.channels = input.channels;
  info.preprocessing.height = input.height;
  info.preprocessing.width = input.width;
  for (std::int64_t c = 0; c < input.channels; ++c) {
    info.preprocessing.mean.push_back(0.3f + 0.05f * static_cast<float>(c));
    info.preprocessing.deviation.push_back(0.25f);
  }
  for (std::int64_t i = 0; i < graph.node(graph.output()).shape.channels; ++i)
    info.classes.push_back("class " + std::to_string(i));
  return info;
}

}  // namespace uniq::testing
