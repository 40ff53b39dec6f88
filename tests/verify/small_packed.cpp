#include "tests/verify/small_packed.h"

#include <algorithm>

#include "uniq/graph/builder.h"
#include "uniq/nn/batch_norm.h"
#include "uniq/quant/calibration.h"
#include "uniq/train/tensors.h"

namespace uniq::verify {
namespace {

pack::TensorSource tensors_of(const nn::GraphModule& network) {
  return [network](const std::string& name) {
    const torch::Tensor tensor = train::state_dict(*network).at(name).detach().contiguous();
    const float* values = tensor.const_data_ptr<float>();
    return std::vector<float>(values, values + tensor.numel());
  };
}

// Of either sign, and far enough from zero that no channel behind a ReLU is dead.
void randomize_norms(torch::nn::Module& root) {
  for (const auto& module : root.modules()) {
    auto* norm = module->as<nn::BatchNormImpl>();
    if (norm == nullptr) continue;
    const torch::Tensor draw = torch::randn_like(norm->weight);
    norm->weight.copy_(draw + 0.5 * draw.sign());
    norm->bias.copy_(0.2 * torch::randn_like(norm->bias));
  }
}

}  // namespace

graph::Graph every_node() {
  graph::Builder b;
  const graph::Value stem =
      b.input({2, 9, 8})
          .conv2d("stem", {.out_channels = 8, .kernel = {3, 5}, .padding = {1, 2}, .bias = true})
          .batch_norm("bn1")
          .relu6("relu1");
  const graph::Value largest =
      stem.max_pool("largest", {.kernel = 3, .stride = 2, .padding = {1, 1}});
  const graph::Value average =
      stem.avg_pool("average", {.kernel = 3, .stride = 2, .padding = {1, 1}});
  const graph::Value depth =
      largest.add("pools", average)
          .conv2d("depth", {.out_channels = 8, .kernel = 3, .padding = 1, .groups = 8})
          .batch_norm("bn2");
  const graph::Value point = depth.conv2d("point", {.out_channels = 12, .bias = true});
  const graph::Value grouped = depth
                                   .conv2d("grouped", {.out_channels = 12,
                                                       .kernel = 3,
                                                       .padding = 2,
                                                       .dilation = 2,
                                                       .groups = 4,
                                                       .bias = true})
                                   .batch_norm("bn3");
  return b.finish(point.add("added", grouped)
                      .relu("relu2")
                      .dropout("drop", 0.5)
                      .avg_pool("small", {.kernel = {2, 1}, .stride = {2, 1}})
                      .flatten("flatten")
                      .linear("fc1", {.out_features = 7, .bias = false})
                      .batch_norm("bn4")
                      .relu("relu3")
                      .linear("fc2", {.out_features = 5}));
}

graph::Graph post_activation() {
  graph::Builder b;
  const graph::Value stem = b.input({3, 8, 8})
                                .conv2d("stem", {.out_channels = 16, .kernel = 3, .padding = 1})
                                .batch_norm("bn1")
                                .relu("relu1");
  const graph::Value body = stem.conv2d("conv1", {.out_channels = 16, .kernel = 3, .padding = 1})
                                .batch_norm("bn2")
                                .relu("relu2")
                                .conv2d("conv2", {.out_channels = 16, .kernel = 3, .padding = 1})
                                .batch_norm("bn3");
  return b.finish(body.add("add", stem)
                      .relu("relu3")
                      .global_avg_pool("pool")
                      .flatten("flatten")
                      .linear("fc", {.out_features = 4}));
}

graph::Graph two_layers() {
  graph::Builder b;
  return b.finish(b.input({1, 6, 6})
                      .conv2d("conv", {.out_channels = 4, .kernel = 3, .padding = 1})
                      .relu("relu")
                      .flatten("flatten")
                      .linear("fc", {.out_features = 3}));
}

graph::Graph wide_sums() {
  graph::Builder b;
  return b.finish(b.input({1, 28, 28})
                      .conv2d("conv", {.out_channels = 48, .kernel = 3, .padding = 1})
                      .relu("relu")
                      .flatten("flatten")
                      .linear("fc", {.out_features = 10}));
}

train::LoadedNetwork calibrated(const graph::Graph& graph, const graph::BitRequest& request,
                                std::uint64_t seed) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(seed);
  const graph::Shape shape = graph.node(graph.input()).shape;
  const auto channels = static_cast<std::size_t>(shape.channels);
  nn::GraphModule network(graph, graph::make_bit_plan(graph, request));
  randomize_norms(*network);
  network->train();
  quant::start_calibration(*network);
  for (int batch = 0; batch < 3; ++batch)
    network->forward((torch::rand({16, shape.channels, shape.height, shape.width}) - 0.5) / 0.25);
  quant::stop_calibration(*network);
  network->eval();
  std::vector<std::string> classes;
  for (std::int64_t i = 0; i < graph.node(graph.output()).shape.channels; ++i)
    classes.push_back(std::to_string(i));
  return {.info = {.graph = graph,
                   .bit_plan = network->plan(),
                   .preprocessing = {.channels = shape.channels,
                                     .height = shape.height,
                                     .width = shape.width,
                                     .mean = std::vector<float>(channels, 0.5f),
                                     .deviation = std::vector<float>(channels, 0.25f)},
                   .classes = classes,
                   .training = ""},
          .network = network};
}

SmallPacked packed_of(train::LoadedNetwork trained) {
  pack::TensorSource tensors = tensors_of(trained.network);
  pack::Packed packed = pack::pack(trained.info, tensors);
  return {std::move(trained), std::move(tensors), std::move(packed)};
}

SmallPacked small_packed(const graph::Graph& graph, const graph::BitRequest& request,
                         std::uint64_t seed) {
  return packed_of(calibrated(graph, request, seed));
}

Report SmallPacked::verify(const format::PackedModel& model, const data::Dataset& pictures) const {
  return verify::verify(trained, tensors, model, pictures, {.threads = 2});
}

Report SmallPacked::prove(const Networks& networks, const data::Dataset& pictures) const {
  Report report;
  verify::prove(trained, packed, networks, pictures, {.threads = 1}, report);
  return report;
}

std::size_t SmallPacked::node(const std::string& name) const {
  const auto found = std::ranges::find(packed.model.nodes, name, &format::PackedNode::name);
  if (found == packed.model.nodes.end()) throw std::invalid_argument("no node " + name);
  return static_cast<std::size_t>(found - packed.model.nodes.begin());
}

Editable::Editable(const format::PackedModel& original) : model(original) {
  for (format::PackedNode& node : model.nodes) {
    const std::span<const std::byte> weights = node.weights.bytes;
    node.weights.bytes = bytes_.emplace_back(weights.begin(), weights.end());
    node.weights.scale = own(node.weights.scale);
    node.weights.bias = own(node.weights.bias);
    for (format::PackedOutput& output : node.outputs) {
      for (format::Stage& stage : output.stages) {
        stage.scale = own(stage.scale);
        stage.bias = own(stage.bias);
      }
    }
  }
}

namespace {

template <class T>
std::span<T> find_own(std::deque<std::vector<T>>& all, std::span<const T> values) {
  const auto found = std::ranges::find_if(
      all, [&](const std::vector<T>& own) { return own.data() == values.data(); });
  if (found == all.end()) throw std::invalid_argument("numbers of another model");
  return *found;
}

}  // namespace

std::span<float> Editable::floats(std::span<const float> values) {
  return find_own(floats_, values);
}

std::span<std::byte> Editable::bytes(std::span<const std::byte> values) {
  return find_own(bytes_, values);
}

std::span<const float> Editable::own(std::span<const float> values) {
  return floats_.emplace_back(values.begin(), values.end());
}

}  // namespace uniq::verify
