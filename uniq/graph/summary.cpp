#include "uniq/graph/summary.h"

#include <nlohmann/json.hpp>

#include "uniq/graph/cost.h"
#include "uniq/graph/parameters.h"

namespace uniq::graph {
namespace {

constexpr std::int64_t kFloatBytes = 4;

std::int64_t stored_bytes(const Graph& graph, NodeId id, const LayerBits& bits,
                          std::int64_t parameters) {
  if (!bits.quantized()) return kFloatBytes * parameters;
  const std::int64_t weights = tensors_of(graph, id).front().elements();
  const std::int64_t biases = parameters - weights;
  const std::int64_t weight_steps =
      bits.granularity == Granularity::kernel ? graph.node(id).shape.channels : 1;
  return (weights * bits.weight_bits + 7) / 8 + kFloatBytes * (biases + weight_steps + 1);
}

LayerSummary summarize_layer(const Graph& graph, NodeId id, const LayerBits& bits) {
  const Node& node = graph.node(id);
  const Cost cost = node_cost(graph, id);
  return {node.name,
          std::string(op_name(node.op)),
          graph.node(node.inputs[0]).shape,
          node.shape,
          bits,
          cost.parameters,
          cost.macs,
          stored_bytes(graph, id, bits, cost.parameters),
          kFloatBytes * cost.parameters};
}

}  // namespace

double Summary::compression() const {
  if (weight_bytes == 0) return 1.0;
  return static_cast<double>(fp32_bytes) / static_cast<double>(weight_bytes);
}

double Summary::quantized_share() const {
  if (macs == 0) return 0.0;
  return static_cast<double>(quantized_macs) / static_cast<double>(macs);
}

Summary summarize(const Graph& graph, const BitPlan& plan) {
  Summary summary;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (node.as<BatchNorm>() != nullptr) {
      ++summary.batch_norms;
      summary.batch_norm_parameters += node_cost(graph, id).parameters;
    } else if (is_layer(node)) {
      summary.layers.push_back(summarize_layer(graph, id, plan.at(node.name)));
    }
  }
  summary.parameters = summary.batch_norm_parameters;
  summary.weight_bytes = kFloatBytes * summary.batch_norm_parameters;
  summary.fp32_bytes = kFloatBytes * summary.batch_norm_parameters;
  for (const LayerSummary& layer : summary.layers) {
    summary.parameters += layer.parameters;
    summary.macs += layer.macs;
    if (layer.bits.quantized()) summary.quantized_macs += layer.macs;
    summary.weight_bytes += layer.weight_bytes;
    summary.fp32_bytes += layer.fp32_bytes;
  }
  return summary;
}

std::string to_json(const Summary& summary) {
  using Json = nlohmann::ordered_json;
  Json layers = Json::array();
  for (const LayerSummary& layer : summary.layers) {
    Json json = {{"name", layer.name},
                 {"type", layer.op},
                 {"input_shape", to_string(layer.in)},
                 {"output_shape", to_string(layer.out)},
                 {"weight_bits", layer.bits.quantized() ? layer.bits.weight_bits : 32},
                 {"activation_bits", layer.bits.quantized() ? layer.bits.activation_bits : 32},
                 {"activation_range", range_name(layer.bits.range)}};
    if (layer.bits.quantized()) {
      json["weight_grid"] = grid_name(layer.bits.weight_grid);
      json["activation_grid"] = grid_name(layer.bits.activation_grid);
      json["granularity"] = granularity_name(layer.bits.granularity);
    }
    json["parameters"] = layer.parameters;
    json["macs"] = layer.macs;
    json["weight_bytes"] = layer.weight_bytes;
    json["fp32_bytes"] = layer.fp32_bytes;
    layers.push_back(std::move(json));
  }
  return Json{{"layers", std::move(layers)},
              {"batch_norms", summary.batch_norms},
              {"batch_norm_parameters", summary.batch_norm_parameters},
              {"parameters", summary.parameters},
              {"macs", summary.macs},
              {"quantized_macs", summary.quantized_macs},
              {"weight_bytes", summary.weight_bytes},
              {"fp32_bytes", summary.fp32_bytes},
              {"compression", summary.compression()},
              {"quantized_share", summary.quantized_share()}}
      .dump();
}

}  // namespace uniq::graph
