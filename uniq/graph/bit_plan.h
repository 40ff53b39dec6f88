// Bits and grids of every convolution and linear layer: the annotation of a graph that decides how
// it is quantized. Rules: docs/method.md, "Recipe of the paper".
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "uniq/graph/graph.h"
#include "uniq/grid/grid.h"

namespace uniq::graph {

/// What a layer's input can be, which decides the grid of its activations.
enum class ActivationRange {
  image,         ///< the network's input picture (through pools, flatten, dropout only)
  non_negative,  ///< behind a ReLU or ReLU6 (through pools, adds of such, flatten, dropout)
  signed_,       ///< anything else, e.g. behind a linear bottleneck
};

ActivationRange activation_range(const Graph& graph, NodeId layer);

/// "image", "non-negative", "signed".
std::string_view range_name(ActivationRange range);

enum class Method { uniq, lsq, pact, dorefa };
std::string_view method_name(Method method);
Method parse_method(std::string_view name);

/// One step per layer, or one per output channel (weights only).
enum class Granularity { layer, kernel };
std::string_view granularity_name(Granularity granularity);
Granularity parse_granularity(std::string_view name);

/// How one layer's weights and input are quantized.
struct LayerBits {
  int weight_bits = 0;      ///< 1..8; 0 means the layer stays fp32 (then both are 0)
  int activation_bits = 0;  ///< 1..8, of the layer's input
  Grid weight_grid = Grid::mid_rise;
  Grid activation_grid = Grid::unsigned_;
  ActivationRange range = ActivationRange::non_negative;
  Granularity granularity = Granularity::layer;
  bool quantized() const { return weight_bits != 0; }
  bool operator==(const LayerBits&) const = default;
};

/// Bits for the layers whose names match the pattern ('*' any text, '?' one character).
struct BitOverride {
  std::string pattern;
  int weight_bits = 0;  ///< 1..8; 0 with activation_bits 0: fp32
  int activation_bits = 0;
  bool operator==(const BitOverride&) const = default;
};

/// What a recipe asks for.
struct BitRequest {
  Method method = Method::uniq;
  int weight_bits = 0;  ///< 1..8; 0 (both): the whole network stays fp32
  int activation_bits = 0;
  /// First and last layer: 8 or another width, 0 for fp32, -1 for method.md's rule
  /// (8 bits; fp32 when weights and activations both have 1 bit).
  int end_bits = -1;
  Granularity granularity = Granularity::layer;  ///< first and last layer are always layer-wise
  std::vector<BitOverride> overrides = {};       ///< the last that matches wins
  bool operator==(const BitRequest&) const = default;
};

/// The plan of a graph: one entry per convolution and linear layer. A plan that exists is valid.
struct BitPlan {
  Method method = Method::uniq;
  std::map<std::string, LayerBits> layers;
  const LayerBits& at(const std::string& layer) const;
  bool quantized() const;  ///< whether any layer is
  bool operator==(const BitPlan&) const = default;
};

/// Applies the rules: ends, 1-bit exceptions (ends and down-sampling convolutions in fp32 where
/// weights and activations both have 1 bit; an explicit end_bits wins for the ends), overrides,
/// grids from the graph. A first layer is one that the input reaches, a last layer one from which
/// the output is reached, without passing another layer. Throws UsageError: bits outside 1..8, one
/// of the two widths fp32, a pattern that matches no layer, PACT or DoReFa on a signed activation
/// (names the layer) or kernel-wise, LSQ at 1 bit, a node that has the name of a quantizer
/// (`conv1.quan_w` beside a quantized `conv1`).
BitPlan make_bit_plan(const Graph& graph, const BitRequest& request);

/// A 1x1 convolution on a residual block's shortcut: it feeds an add (through a batch norm or not)
/// whose other operand descends, through a layer and on another way than through this
/// convolution, from the same value that this convolution reads.
bool is_downsampling(const Graph& graph, NodeId node);

/// JSON text of a plan, and back; reading checks it against the graph (throws Error).
std::string to_json(const BitPlan& plan);
BitPlan bit_plan_from_json(const std::string& json, const Graph& graph);

}  // namespace uniq::graph
