#include "uniq/graph/bit_plan.h"

#include <algorithm>
#include <array>

#include "uniq/base/error.h"
#include "uniq/base/text.h"
#include "uniq/graph/bit_rules.h"
#include "uniq/graph/module_paths.h"
#include "uniq/graph/topology.h"

namespace uniq::graph {
namespace {

constexpr std::array<std::string_view, 4> kMethods = {"uniq", "lsq", "pact", "dorefa"};
constexpr std::array<std::string_view, 2> kGranularities = {"layer", "kernel"};
constexpr std::array<std::string_view, 3> kRanges = {"image", "non-negative", "signed"};

template <class Enum, std::size_t kSize>
std::string_view enum_name(const std::array<std::string_view, kSize>& names, Enum value) {
  return names[static_cast<std::size_t>(value)];
}

template <class Enum, std::size_t kSize>
Enum parse_enum(const std::array<std::string_view, kSize>& names, const char* what,
                std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<Enum>(found - names.begin());
  const std::vector<std::string> known(names.begin(), names.end());
  throw UsageError(ErrorText{std::string("bits: unknown ") + what, "",
                             "'" + std::string(name) + "'", "one of " + join(known),
                             nearest_name(name, known)});
}

struct Widths {
  int weight = 0;
  int activation = 0;
};

void check_request(const BitRequest& request) {
  check_widths(request.weight_bits, request.activation_bits, "the network's width");
  if (request.end_bits < -1 || request.end_bits > kMaxBits) {
    throw UsageError(ErrorText{"bits: width of the first and last layer out of range", "",
                               std::to_string(request.end_bits),
                               "1 to 8, 0 for fp32, or -1 for the usual width", ""});
  }
  for (const BitOverride& entry : request.overrides) {
    check_widths(entry.weight_bits, entry.activation_bits, "override '" + entry.pattern + "'");
  }
}

void check_patterns(const std::vector<BitOverride>& overrides,
                    const std::vector<std::string>& layers) {
  for (const BitOverride& entry : overrides) {
    const bool found = std::any_of(layers.begin(), layers.end(), [&](const std::string& layer) {
      return matches_pattern(entry.pattern, layer);
    });
    if (found) continue;
    throw UsageError(ErrorText{"bits: override matches no layer", "", "'" + entry.pattern + "'",
                               "a layer's name, with * for any text and ? for one character",
                               nearest_name(entry.pattern, layers)});
  }
}

/// The rules before the overrides.
Widths widths_by_rule(const Graph& graph, const BitRequest& request, NodeId id, bool is_end) {
  const Widths body{request.weight_bits, request.activation_bits};
  if (body.weight == 0) return {};
  const bool binary = body.weight == 1 && body.activation == 1;
  if (is_end) {
    const int bits = request.end_bits >= 0 ? request.end_bits : binary ? 0 : 8;
    return {bits, bits};
  }
  if (binary && is_downsampling(graph, id)) return {};
  return body;
}

Widths overridden(const std::vector<BitOverride>& overrides, const std::string& layer,
                  Widths widths) {
  for (const BitOverride& entry : overrides) {
    if (matches_pattern(entry.pattern, layer)) {
      widths = {entry.weight_bits, entry.activation_bits};
    }
  }
  return widths;
}

}  // namespace

std::string_view method_name(Method method) { return enum_name(kMethods, method); }
Method parse_method(std::string_view name) { return parse_enum<Method>(kMethods, "method", name); }

std::string_view granularity_name(Granularity granularity) {
  return enum_name(kGranularities, granularity);
}
Granularity parse_granularity(std::string_view name) {
  return parse_enum<Granularity>(kGranularities, "granularity", name);
}

std::string_view range_name(ActivationRange range) { return enum_name(kRanges, range); }

const LayerBits& BitPlan::at(const std::string& layer) const {
  const auto found = layers.find(layer);
  if (found != layers.end()) return found->second;
  throw Error(ErrorText{"bits: plan has no such layer", "", layer, "a layer of the network", ""});
}

bool BitPlan::quantized() const {
  return std::any_of(layers.begin(), layers.end(),
                     [](const auto& entry) { return entry.second.quantized(); });
}

BitPlan make_bit_plan(const Graph& graph, const BitRequest& request) {
  check_request(request);
  const std::vector<ActivationRange> ranges = value_ranges(graph);
  const std::vector<bool> ends = end_layers(graph);
  std::vector<std::string> names;
  BitPlan plan;
  plan.method = request.method;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (!is_layer(node)) continue;
    names.push_back(node.name);
    const bool is_end = ends[static_cast<std::size_t>(id)];
    const Widths widths =
        overridden(request.overrides, node.name, widths_by_rule(graph, request, id, is_end));
    plan.layers.emplace(node.name,
                        layer_bits(request.method, node.name, widths.weight, widths.activation,
                                   is_end ? Granularity::layer : request.granularity,
                                   ranges[static_cast<std::size_t>(node.inputs[0])]));
  }
  check_patterns(request.overrides, names);
  check_quantizer_paths(graph, plan);
  return plan;
}

}  // namespace uniq::graph
