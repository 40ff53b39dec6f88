#include "uniq/pack/random_network.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>

#include "uniq/base/error.h"
#include "uniq/base/memory.h"
#include "uniq/data/random.h"
#include "uniq/graph/parameters.h"
#include "uniq/grid/grid.h"
#include "uniq/grid/optimal_step.h"
#include "uniq/pack/distribution.h"

namespace uniq::pack {
namespace {

using graph::LayerBits;
using graph::Node;
using graph::NodeId;

/// A node's value: its channels, clipped alike.
struct Value {
  std::vector<Moments> source;
  double lower = Clipped{}.lower;
  double upper = Clipped{}.upper;
  Clipped channel(std::size_t c) const { return {source[c], lower, upper}; }
};

/// By channel.
std::vector<Moments> moments_of(const Value& value) {
  std::vector<Moments> moments;
  for (std::size_t c = 0; c < value.source.size(); ++c)
    moments.push_back(moments_of(value.channel(c)));
  return moments;
}

/// Of all channels together.
Moments pooled(const std::vector<Moments>& channels) {
  Moments all;
  double square = 0.0;
  for (const Moments& channel : channels) {
    all.mean += channel.mean / static_cast<double>(channels.size());
    square += channel.square() / static_cast<double>(channels.size());
  }
  all.variance = square - all.mean * all.mean;
  return all;
}

/// Unbiased.
double deviation_of(std::span<const float> values) {
  const auto count = static_cast<double>(values.size());
  double sum = 0.0;
  for (const float v : values) sum += v;
  double squares = 0.0;
  for (const float v : values) squares += (v - sum / count) * (v - sum / count);
  return std::sqrt(squares / std::max(count - 1, 1.0));
}

/// Sums of twelve uniform numbers, which are close to Gaussian up to 4 deviations and end at 6: in
/// whole numbers, and so the same on every machine.
std::vector<float> gaussian(std::int64_t count, double deviation, data::Random& random) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) {
    std::int64_t sum = 0;
    for (int i = 0; i < 3; ++i) {
      const std::uint64_t bits = random.next();
      for (int part = 0; part < 4; ++part)
        sum += static_cast<std::int64_t>(bits >> (16 * part) & 0xffff);
    }
    constexpr std::int64_t kTwiceMean = std::int64_t{12} * 0xffff;
    value = static_cast<float>(deviation * static_cast<double>(2 * sum - kTwiceMean) / 0x20000);
  }
  return values;
}

/// How many independent values a window counts for: as many as its longer side has places, for
/// neighbours in a picture resemble each other.
double independent_places(const graph::Extent& window) {
  return static_cast<double>(std::max(window.height, window.width));
}

/// Goes through the graph node by node: what a layer or batch norm learns or knows follows from the
/// distribution of its input, and that of its value from them.
class Maker {
 public:
  Maker(const graph::Graph& graph, const graph::BitPlan& plan, std::uint64_t seed)
      : graph_(graph), plan_(plan), seed_(seed) {}

  /// The network's tensors, by name. Called once.
  std::map<std::string, std::vector<float>> run() {
    for (NodeId id = 0; id < graph_.size(); ++id)
      values_.push_back(with_memory("layer " + graph_.node(id).name, bytes_of(id),
                                    [this, id] { return value_of(id); }));
    return std::move(tensors_);
  }

 private:
  const Value& operand(const Node& node, std::size_t i = 0) const {
    return values_[static_cast<std::size_t>(node.inputs[i])];
  }
  const graph::Shape& shape_of_operand(const Node& node) const {
    return graph_.node(node.inputs[0]).shape;
  }
  /// What value_of() takes for the most part.
  std::uint64_t bytes_of(NodeId id) const {
    const Node& node = graph_.node(id);
    const auto channels = static_cast<std::uint64_t>(node.shape.channels);
    if (!graph::is_layer(node)) return channels * sizeof(Moments);
    return static_cast<std::uint64_t>(graph::tensors_of(graph_, id).front().elements()) *
           sizeof(float);
  }
  void keep(const std::string& name, double value) { tensors_[name] = {static_cast<float>(value)}; }

  Value value_of(NodeId id) {
    const Node& node = graph_.node(id);
    if (graph::is_layer(node)) return layer(id);
    if (node.as<graph::Input>()) {
      // Normalised pictures.
      return {.source =
                  std::vector<Moments>(static_cast<std::size_t>(node.shape.channels), {0, 1})};
    }
    if (node.as<graph::BatchNorm>()) return batch_norm(node);
    if (node.as<graph::Add>()) return sum(node);
    if (const auto* pool = node.as<graph::MaxPool>()) {
      return largest(node, independent_places(pool->kernel));
    }
    if (const auto* pool = node.as<graph::AvgPool>()) {
      return average(node, independent_places(pool->kernel));
    }
    if (node.as<graph::GlobalAvgPool>()) {
      const graph::Shape& map = shape_of_operand(node);
      return average(node, independent_places({map.height, map.width}));
    }
    if (node.as<graph::Flatten>()) return flatten(node);
    Value value = operand(node);
    const bool relu6 = node.as<graph::Relu6>() != nullptr;
    if (relu6 || node.as<graph::Relu>()) value.lower = std::max(value.lower, 0.0);
    if (relu6) value.upper = std::min(value.upper, 6.0);
    return value;
  }

  /// One channel of a flattened map has many places.
  Value flatten(const Node& node) const {
    const Value& map = operand(node);
    const auto places = static_cast<std::size_t>(node.shape.channels) / map.source.size();
    Value value{.source = {}, .lower = map.lower, .upper = map.upper};
    for (const Moments& channel : map.source)
      value.source.insert(value.source.end(), places, channel);
    return value;
  }

  Value sum(const Node& node) const {
    Value value{.source = moments_of(operand(node, 0))};
    const std::vector<Moments> other = moments_of(operand(node, 1));
    for (std::size_t c = 0; c < other.size(); ++c) {
      value.source[c].mean += other[c].mean;
      value.source[c].variance += other[c].variance;
    }
    return value;
  }

  Value average(const Node& node, double count) const {
    Value value{.source = moments_of(operand(node))};
    for (Moments& channel : value.source) channel.variance /= count;
    return value;
  }

  /// The largest of clipped values is the clipped largest.
  Value largest(const Node& node, double count) const {
    const Moments standard = largest_of(count);
    Value value = operand(node);
    for (Moments& channel : value.source) {
      channel.mean += std::sqrt(channel.variance) * standard.mean;
      channel.variance *= standard.variance;
    }
    return value;
  }

  Value batch_norm(const Node& node) {
    const double eps = node.as<graph::BatchNorm>()->eps;
    Value value{.source = {}};
    std::vector<float> mean;
    std::vector<float> variance;
    for (const Moments& channel : moments_of(operand(node))) {
      mean.push_back(static_cast<float>(channel.mean));
      variance.push_back(static_cast<float>(channel.variance));
      value.source.push_back({0.0, channel.variance / (channel.variance + eps)});
    }
    tensors_[node.name + ".weight"].assign(mean.size(), 1.0f);
    tensors_[node.name + ".bias"].assign(mean.size(), 0.0f);
    tensors_[node.name + ".running_mean"] = std::move(mean);
    tensors_[node.name + ".running_var"] = std::move(variance);
    return value;
  }

  Value layer(NodeId id) {
    const Node& node = graph_.node(id);
    const std::vector<graph::TensorInfo> tensors = graph::tensors_of(graph_, id);
    const std::int64_t count = tensors.front().elements();
    const std::int64_t fan_in = count / node.shape.channels;
    const double gain = node.as<graph::Conv2d>() ? 2.0 : 1.0;
    data::Random random(seed_, data::Stream::random_network, {static_cast<std::uint64_t>(id)});
    const std::vector<float>& weights = tensors_[tensors.front().name] =
        gaussian(count, std::sqrt(gain / static_cast<double>(fan_in)), random);
    if (tensors.size() > 1) {
      tensors_[tensors[1].name].assign(static_cast<std::size_t>(node.shape.channels), 0.0f);
    }
    const LayerBits& bits = plan_.at(node.name);
    if (!bits.quantized()) return product(node, weights, moments_of(operand(node)));
    return product(node, on_grid(node.name, weights, bits), quantized_operand(node, bits));
  }

  /// The layer's input in the codes that it reads; keeps their step.
  std::vector<Moments> quantized_operand(const Node& node, const LayerBits& bits) {
    const Value& input = operand(node);
    const Moments all = pooled(moments_of(input));
    const bool half = bits.activation_grid == Grid::unsigned_;
    // One Gaussian constant, the mid-rise grid's, serves signed activations of either grid.
    const double constant =
        half ? optimal_step(Source::half_normal, Grid::unsigned_, bits.activation_bits)
             : optimal_step(Source::gaussian, Grid::mid_rise, bits.activation_bits);
    const double step = constant * std::sqrt(half ? 2 * all.square() : all.variance);
    keep(node.name + ".quan_a.delta", step);
    std::vector<Moments> channels;
    for (std::size_t c = 0; c < input.source.size(); ++c)
      channels.push_back(
          quantized_moments(input.channel(c), step, bits.activation_grid, bits.activation_bits));
    return channels;
  }

  /// The weights as their codes say; keeps their steps.
  std::vector<float> on_grid(const std::string& name, std::vector<float> weights,
                             const LayerBits& bits) {
    const double constant = optimal_step(Source::gaussian, Grid::mid_rise, bits.weight_bits);
    std::vector<float>& steps = tensors_[name + ".quan_w.delta"];
    const std::int64_t out = graph_.node(*graph_.find(name)).shape.channels;
    const auto slices =
        static_cast<std::size_t>(bits.granularity == graph::Granularity::kernel ? out : 1);
    const std::size_t size = weights.size() / slices;
    for (std::size_t i = 0; i < slices; ++i) {
      const std::span<float> slice = std::span(weights).subspan(i * size, size);
      const auto step = static_cast<float>(constant * deviation_of(slice));
      for (float& w : slice)
        w = dequantize(quantize(w, step, bits.weight_grid, bits.weight_bits), step,
                       bits.weight_grid, bits.weight_bits);
      steps.push_back(step);
    }
    return weights;
  }

  /// Sums of products, bias 0. Weights are [out][in of the group][taps].
  Value product(const Node& node, const std::vector<float>& weights,
                const std::vector<Moments>& input) const {
    const auto* conv = node.as<graph::Conv2d>();
    const std::size_t groups = conv ? static_cast<std::size_t>(conv->groups) : 1;
    const auto taps = conv ? static_cast<std::size_t>(conv->kernel.height * conv->kernel.width) : 1;
    const auto out_channels = static_cast<std::size_t>(node.shape.channels);
    const std::size_t in = input.size() / groups;
    Value value{.source = std::vector<Moments>(out_channels)};
    std::size_t next = 0;
    for (std::size_t out = 0; out < out_channels; ++out) {
      const std::size_t first = out * groups / out_channels * in;
      for (std::size_t c = first; c < first + in; ++c)
        for (std::size_t tap = 0; tap < taps; ++tap) {
          const double w = weights[next++];
          value.source[out].mean += w * input[c].mean;
          value.source[out].variance += w * w * input[c].variance;
        }
    }
    return value;
  }

  const graph::Graph& graph_;
  const graph::BitPlan& plan_;
  std::uint64_t seed_;
  std::vector<Value> values_;  ///< by node
  std::map<std::string, std::vector<float>> tensors_;
};

/// As ImageNet is tested: 224 pixels out of the middle of 256, and other sizes alike.
data::Preprocessing preprocessing_of(const graph::Shape& picture) {
  const std::int64_t larger = std::max(picture.height, picture.width);
  data::Preprocessing p{.channels = picture.channels,
                        .height = picture.height,
                        .width = picture.width,
                        .resize = "shorter:" + std::to_string(larger + (larger + 3) / 7),
                        .mean = {0.485f, 0.456f, 0.406f},
                        .deviation = {0.229f, 0.224f, 0.225f}};
  if (picture.channels != 3) {
    p.mean.assign(static_cast<std::size_t>(picture.channels), 0.5f);
    p.deviation.assign(static_cast<std::size_t>(picture.channels), 0.25f);
  }
  return p;
}

}  // namespace

RandomNetwork random_network(const graph::Graph& graph, const graph::BitPlan& plan,
                             std::uint64_t seed) {
  if (plan.method != graph::Method::uniq)
    throw UsageError({.what = "random networks have UniQ's grids and steps",
                      .got = "method " + std::string(graph::method_name(plan.method)),
                      .expected = "method uniq"});
  // Not all in one: where a later part of it throws, GCC 12 destroys an inner aggregate twice.
  format::CheckpointInfo info = {.graph = graph,
                                 .bit_plan = plan,
                                 .preprocessing = preprocessing_of(graph.node(graph.input()).shape),
                                 .classes = {},
                                 .training = ""};
  return {.info = std::move(info), .tensors = Maker(graph, plan, seed).run()};
}

TensorSource tensors_of(const RandomNetwork& network) {
  return [&network](const std::string& name) { return network.tensors.at(name); };
}

}  // namespace uniq::pack
