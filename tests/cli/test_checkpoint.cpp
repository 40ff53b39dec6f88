#include "tests/cli/test_checkpoint.h"

#include <cstdint>
#include <deque>
#include <span>
#include <utility>
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

constexpr const char* kDigitsGraph = R"(uniq-graph 1
input = input(channels=1, height=12, width=12)
conv1 = conv2d(input, out=4, kernel=3, padding=1)
bn1 = batch_norm(conv1)
relu1 = relu(bn1)
conv2 = conv2d(relu1, out=4, kernel=3, padding=1)
sum = add(conv2, conv1)
bn2 = batch_norm(sum)
relu2 = relu(bn2)
pool = global_avg_pool(relu2)
flat = flatten(pool)
fc = linear(flat, out=10)
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

format::CheckpointInfo digits_checkpoint(const graph::BitRequest& request) {
  graph::Graph graph = graph::parse_graph(kDigitsGraph, "digits network");
  graph::BitPlan plan = graph::make_bit_plan(graph, request);
  return {.graph = std::move(graph),
          .bit_plan = std::move(plan),
          .preprocessing = {1, 12, 12, "none", {0.5f}, {0.25f}},
          .classes = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"},
          .training = ""};
}

void write_checkpoint(const std::filesystem::path& path, const format::CheckpointInfo& info) {
  const auto shapes = format::expected_tensors(info.graph, info.bit_plan);
  write_checkpoint(path, info, [&shapes](const std::string& name) {
    std::vector<float> values(elements(shapes.at(name)));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = fill_value(name, i);
    return values;
  });
}

void write_checkpoint(const std::filesystem::path& path, const format::CheckpointInfo& info,
                      const pack::TensorSource& tensors) {
  const std::int64_t batches = 1;
  std::deque<std::vector<float>> values;  // a deque: views into its elements stay good
  std::vector<format::TensorView> views;
  for (const auto& [name, shape] : format::expected_tensors(info.graph, info.bit_plan)) {
    if (name.ends_with(".num_batches_tracked")) {
      views.push_back({name, format::DType::i64, shape, std::as_bytes(std::span(&batches, 1))});
      continue;
    }
    const std::vector<float>& own = values.emplace_back(tensors(name));
    views.push_back({name, format::DType::f32, shape, std::as_bytes(std::span(own))});
  }
  format::write_safetensors(path, views, format::to_metadata(info));
}

}  // namespace uniq::testing
