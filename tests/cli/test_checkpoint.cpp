#include "tests/cli/test_checkpoint.h"

#include <deque>
#include <vector>

#include "uniq/format/safetensors.h"
#include "uniq/graph/text.h"

namespace uniq::testing {
namespace {

constexpr const char* kGraph = R"(uniq-graph 1
input = input(channels=1, height=4, width=4)
conv1 = conv2d(input, out=2, kernel=3, padding=1)
relu1 = relu(conv1)
conv2 = conv2d(relu1, out=3, kernel=3, padding=1)
relu2 = relu(conv2)
pool = global_avg_pool(relu2)
flat = flatten(pool)
fc = linear(flat, out=3)
output = output(fc)
)";

bool is_step(const std::string& tensor) { return tensor.find(".quan_") != std::string::npos; }

std::size_t elements(const std::vector<std::int64_t>& shape) {
  std::size_t count = 1;
  for (const std::int64_t size : shape) count *= static_cast<std::size_t>(size);
  return count;
}

}  // namespace

float fill_value(const std::string& tensor, std::size_t i) {
  if (is_step(tensor)) return static_cast<float>(i + 1) / 4.0f;
  return (static_cast<float>(i % 3) - 1.0f) / 8.0f;
}

format::CheckpointInfo small_checkpoint(const graph::BitRequest& request) {
  graph::Graph graph = graph::parse_graph(kGraph, "small network");
  graph::BitPlan plan = graph::make_bit_plan(graph, request);
  return {.graph = std::move(graph),
          .bit_plan = std::move(plan),
          .preprocessing = {1, 4, 4, "none", {0.25f}, {0.5f}},
          .classes = {"cat", "dog", "bird"},
          .training = ""};
}

void write_checkpoint(const std::filesystem::path& path, const format::CheckpointInfo& info) {
  std::deque<std::vector<float>> values;  // a deque: views into its elements stay good
  std::vector<format::TensorView> tensors;
  for (const auto& [name, shape] : format::expected_tensors(info.graph, info.bit_plan)) {
    std::vector<float>& own = values.emplace_back(elements(shape));
    for (std::size_t i = 0; i < own.size(); ++i) own[i] = fill_value(name, i);
    tensors.push_back({name, format::DType::f32, shape, std::as_bytes(std::span(own))});
  }
  format::write_safetensors(path, tensors, format::to_metadata(info));
}

}  // namespace uniq::testing
