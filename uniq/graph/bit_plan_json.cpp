#include <nlohmann/json.hpp>

#include "uniq/base/error.h"
#include "uniq/base/text.h"
#include "uniq/graph/bit_plan.h"
#include "uniq/graph/bit_rules.h"
#include "uniq/graph/module_paths.h"
#include "uniq/graph/topology.h"

namespace uniq::graph {
namespace {

using Json = nlohmann::json;

[[noreturn]] void fail(const std::string& what, const std::string& where, const std::string& got,
                       const std::string& expected) {
  throw Error(ErrorText{"bit plan: " + what, where, got, expected, ""});
}

const Json& member(const Json& object, const char* key, const std::string& where) {
  if (!object.is_object()) fail("entry is not understood", where, object.type_name(), "an object");
  const auto found = object.find(key);
  if (found == object.end()) fail("entry is missing", where, "no " + std::string(key), key);
  return *found;
}

std::string text_of(const Json& object, const char* key, const std::string& where) {
  const Json& value = member(object, key, where);
  if (!value.is_string()) fail("entry is not understood", where, value.type_name(), "a text");
  return value.get<std::string>();
}

int width_of(const Json& object, const char* key, const std::string& where) {
  const Json& value = member(object, key, where);
  const double width = value.is_number_integer() ? value.get<double>() : -1.0;
  if (width < 0.0 || width > kMaxBits) {
    fail(std::string(key) + " out of range", where, value.is_number() ? value.dump() : "no number",
         "1 to 8, or 0 for fp32");
  }
  return static_cast<int>(width);
}

Json to_json(const LayerBits& bits) {
  Json json = {{"weight_bits", bits.weight_bits},
               {"activation_bits", bits.activation_bits},
               {"range", range_name(bits.range)}};
  if (!bits.quantized()) return json;
  json["weight_grid"] = grid_name(bits.weight_grid);
  json["activation_grid"] = grid_name(bits.activation_grid);
  json["granularity"] = granularity_name(bits.granularity);
  return json;
}

/// The entry as the rules give it for the widths in the file; what the file says of the rest must
/// agree, or the network would be computed otherwise than it was trained.
LayerBits layer_from_json(const Json& json, Method method, const std::string& layer,
                          ActivationRange range) {
  const std::string where = "layer " + layer;
  const int weight_bits = width_of(json, "weight_bits", where);
  const int activation_bits = width_of(json, "activation_bits", where);
  const Granularity granularity = weight_bits == 0
                                      ? Granularity::layer
                                      : parse_granularity(text_of(json, "granularity", where));
  const LayerBits bits =
      layer_bits(method, layer, weight_bits, activation_bits, granularity, range);
  const Json expected = to_json(bits);
  for (const auto& [key, value] : expected.items()) {
    const Json& stored = member(json, key.c_str(), where);
    if (stored != value) {
      fail(key + " does not fit the network", where,
           stored.is_string() ? stored.get<std::string>() : stored.type_name(), value.dump());
    }
  }
  for (const auto& [key, value] : json.items()) {
    if (!expected.contains(key)) fail("unknown entry", where, key, "none of that name");
  }
  return bits;
}

BitPlan plan_from_json(const Json& json, const Graph& graph) {
  BitPlan plan;
  plan.method = parse_method(text_of(json, "method", ""));
  const Json& layers = member(json, "layers", "");
  const std::vector<ActivationRange> ranges = value_ranges(graph);
  for (const Node& node : graph.nodes()) {
    if (!is_layer(node)) continue;
    const Json& entry = member(layers, node.name.c_str(), "layers");
    plan.layers.emplace(node.name,
                        layer_from_json(entry, plan.method, node.name,
                                        ranges[static_cast<std::size_t>(node.inputs[0])]));
  }
  for (const auto& [name, value] : layers.items()) {
    if (!plan.layers.contains(name)) {
      fail("layer is not in the network", "", name, "a convolution or linear layer of the graph");
    }
  }
  check_quantizer_paths(graph, plan);
  return plan;
}

}  // namespace

std::string to_json(const BitPlan& plan) {
  Json layers = Json::object();
  for (const auto& [name, bits] : plan.layers) layers[name] = to_json(bits);
  return Json{{"method", method_name(plan.method)}, {"layers", layers}}.dump();
}

BitPlan bit_plan_from_json(const std::string& json, const Graph& graph) {
  const Json parsed = Json::parse(json, nullptr, false);
  if (parsed.is_discarded()) fail("text is not JSON", "", "", "an object");
  try {
    return plan_from_json(parsed, graph);
  } catch (const UsageError& error) {
    throw Error(error.what());  // what a file says is not the user's request
  }
}

}  // namespace uniq::graph
