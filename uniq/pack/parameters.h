// What becomes of a layer's tensors: codes, and per-channel parameters with what is folded into
// them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "uniq/format/packed_model.h"
#include "uniq/graph/bit_plan.h"
#include "uniq/graph/graph.h"
#include "uniq/pack/pack.h"

namespace uniq::pack {

/// A batch norm as y = (x - mean) * factor + shift, factor = weight / sqrt(variance + eps), per
/// channel, in double.
struct Norm {
  std::vector<double> factor;
  std::vector<double> mean;
  std::vector<double> shift;
};

/// Throws Error, naming the node, where a factor is not finite.
Norm read_norm(const graph::Node& node, const TensorSource& tensors);

/// The batch norm as v = fma(v, scale, bias), rounded once.
struct Affine {
  std::vector<float> scale;
  std::vector<float> bias;
};
Affine to_affine(const Norm& norm, const std::string& name);

/// The encoding of a layer's input: what its activation quantizer learned or knows.
format::Encoding input_encoding(const std::string& layer, const graph::BitPlan& plan,
                                const TensorSource& tensors);

/// A convolution or linear layer. The weights are in the packed order, dense where they are codes.
struct LayerParameters {
  std::vector<std::byte> weights;
  int bits = 0;
  Grid grid = Grid::mid_rise;
  int pad_code = format::kLeaveOut;
  Affine affine;  ///< of the sum
};
/// Without what its tensors say: no weights, no parameters per channel.
LayerParameters layer_outline(const graph::Node& layer, const graph::BitPlan& plan,
                              const format::Encoding& input);
LayerParameters layer_parameters(const graph::Node& layer, std::int64_t in_channels,
                                 const graph::BitPlan& plan, const format::Encoding& input,
                                 const std::optional<Norm>& norm, const TensorSource& tensors);

}  // namespace uniq::pack
