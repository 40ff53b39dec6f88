// A packed network in memory: what a .uniq file says, what packing makes and the runtime runs.
// docs/format.md specifies the file and the arithmetic.
//
// It is a list of nodes in the order in which they run. A node computes one fp32 value v per output
// element (its core) and derives its outputs from it: each output applies stages to v, one after
// the other, and is stored as fp32 or as the codes of a grid. A flattened vector [n] counts as a
// map [n, 1, 1], a linear layer as a 1x1 convolution of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "uniq/data/preprocessing.h"
#include "uniq/graph/graph.h"
#include "uniq/grid/grid.h"

namespace uniq::format {

/// What a node's core computes.
enum class PackedOp : std::uint8_t {
  input,     ///< the picture's values: data::pixel_values of its bytes
  conv,      ///< a convolution or linear layer: v = fma(sum, scale, bias) [+ residual]
  add,       ///< v = a + b
  max_pool,  ///< the largest value inside; what is outside the picture counts as minus infinity
  avg_pool,  ///< the sum of what is inside, divided by the size of the kernel
  flatten,   ///< [c, h, w] in the order (channel, row, column) -> [c * h * w, 1, 1]
};
/// "input", "conv", "add", "max_pool", "avg_pool", "flatten".
std::string_view packed_op_name(PackedOp op);

/// How codes stand for values: value = step * (code + offset of the grid). Bits 0: fp32, and then
/// grid and step mean nothing.
struct Encoding {
  int bits = 0;
  Grid grid = Grid::unsigned_;
  float step = 0.0f;
  bool is_codes() const { return bits != 0; }
  bool operator==(const Encoding&) const = default;
};

/// One elementwise map on the way from the core's value to an output.
struct Stage {
  enum class Kind : std::uint8_t {
    affine,  ///< v = fma(v, scale[c], bias[c])
    relu,    ///< v = v > 0 ? v : 0
    relu6,   ///< v = v > 0 ? (v < 6 ? v : 6) : 0
  };
  Kind kind = Kind::affine;
  std::span<const float> scale = {};  ///< affine: [channels]
  std::span<const float> bias = {};   ///< affine: [channels]
};

struct PackedOutput {
  std::vector<Stage> stages;
  Encoding encoding;
};

/// The window of a convolution or pool; pools have dilation 1 and groups 1.
struct Window {
  graph::Extent kernel = 1;
  graph::Extent stride = 1;
  graph::Extent padding = 0;
  graph::Extent dilation = 1;
  std::int64_t groups = 1;
  bool operator==(const Window&) const = default;
};

/// Outputs of a node, stages of an output, and all outputs and stages of a model: in memory each
/// takes some forty times as many bytes as in a file.
inline constexpr std::size_t kMaxOutputs = 1024;
inline constexpr std::size_t kMaxStages = 64;
inline constexpr std::size_t kMaxOutputsAndStages = 1 << 22;

/// Positions outside the picture add nothing to a sum.
inline constexpr int kLeaveOut = -1;

/// A convolution's parameters.
struct PackedWeights {
  /// Codes: `encoding.bits` each, dense, least significant bit first, the last byte filled up with
  /// zeros. fp32 (bits 0): floats. Order [out][kernel row][kernel column][in / groups].
  std::span<const std::byte> bytes = {};
  int bits = 0;  ///< 0: fp32, and then the input is fp32 too
  Grid grid = Grid::mid_rise;
  /// The code that stands outside the picture, or kLeaveOut; fp32: kLeaveOut.
  int pad_code = kLeaveOut;
  /// v = fma(sum, scale, bias): steps, bias and a folded batch norm.
  std::span<const float> scale = {};  ///< [out]
  std::span<const float> bias = {};   ///< [out]
};

struct PackedNode {
  std::string name;  ///< the graph node whose work this is: a layer, a pool, an add, ...
  PackedOp op = PackedOp::input;
  /// Values that it reads, by number (see PackedModel). conv: its input, and where a second stands,
  /// the fp32 residual, of the output's shape. add: two fp32 values. input: none. Pools and
  /// flatten: one fp32 value.
  std::vector<int> inputs;
  graph::Shape shape;                 ///< of v; never a vector
  Window window;                      ///< conv and pools
  PackedWeights weights;              ///< conv
  std::vector<PackedOutput> outputs;  ///< at least one
};

/// Values are the outputs of the nodes, numbered through from 0 in order.
struct PackedModel {
  std::vector<PackedNode> nodes;  ///< the first is the only input
  int output = 0;                 ///< the value of the network: fp32, [classes, 1, 1]
  data::Preprocessing preprocessing;
  std::vector<std::string> classes;
  std::shared_ptr<const void> storage;  ///< keeps what the spans point to: a file's bytes, buffers
};

/// Calls visit(span of floats) for all parameters per channel, in the file's order:
/// scale and bias of a convolution, then those of its outputs' stages.
template <class Node, class Visit>
void visit_parameters(Node& node, Visit&& visit) {
  if (node.op == PackedOp::conv) {
    visit(node.weights.scale);
    visit(node.weights.bias);
  }
  for (auto& output : node.outputs) {
    for (auto& stage : output.stages) {
      if (stage.kind != Stage::Kind::affine) continue;
      visit(stage.scale);
      visit(stage.bias);
    }
  }
}

/// Gives the model parameters per channel of its own, apart from the weights, and hands over the
/// storage of all that it had: the weights' bytes stay as long as that is kept. Throws MemoryError.
std::shared_ptr<const void> take_storage(PackedModel& model);

struct PackedValue {
  int node = 0;
  int output = 0;  ///< of that node
  graph::Shape shape;
  Encoding encoding;
};

/// All values of a model, by number.
std::vector<PackedValue> values_of(const PackedModel& model);

/// Largest magnitude of sums that are added in 32 bits. A convolution whose sums can be larger adds
/// them in 64 (has_wide_sums).
inline constexpr std::int64_t kMaxNarrowSum = 0x7fffffff;

/// Largest magnitude that a sum of so many products of codes can have, in integers of both grids;
/// 0 for fp32 weights. Below 2^47 for as many terms as a layer may have weights.
std::int64_t largest_sum(std::int64_t terms, const PackedWeights& weights, const Encoding& input);

/// Products in one sum of a convolution that reads `input`.
std::int64_t sum_terms(const PackedNode& node, const graph::Shape& input);

/// Whether sums of the node, whose first operand is `input`, can leave 32 bits.
bool has_wide_sums(const PackedNode& node, const PackedValue& input);

/// Why a model needs version 2 of the file, or an empty text where version 1 can hold it:
/// "node fc: sums up to 2447020800". Precondition: the model is valid.
std::string beyond_version_1(const PackedModel& model);

/// Which parts of a model are there.
enum class Contents {
  whole,
  outline,  ///< all but parameters per channel and weights: spans are empty
};

/// Throws Error that names `where` and the node unless the model is whole and its parts fit: every
/// input an earlier value of the type and shape that the operator asks for, shapes as the window
/// gives them, blobs of the right size, unused bits of codes zero, parameters finite, steps finite
/// and positive, bits and grids possible, sizes within graph/limits.h, every value used,
/// preprocessing and classes fitting the first and the last value. Of an outline, whatever does not
/// concern the spans.
void validate(const PackedModel& model, const std::string& where,
              Contents contents = Contents::whole);

/// Reads codes from and writes them to dense bits, least significant bit first. Sizes must fit:
/// dense_bytes(codes, bits) bytes.
constexpr std::size_t dense_bytes(std::size_t codes, int bits) {
  return (codes * static_cast<std::size_t>(bits) + 7) / 8;
}
void unpack_codes(std::span<const std::byte> dense, int bits, std::span<std::uint8_t> codes);
void pack_codes(std::span<const std::uint8_t> codes, int bits, std::span<std::byte> dense);

}  // namespace uniq::format
