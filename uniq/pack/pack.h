// From a trained graph and its tensors to the packed integer network. Needs no LibTorch: a
// checkpoint is a graph, a bit plan and named tensors. docs/format.md states the arithmetic.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "uniq/format/checkpoint.h"
#include "uniq/format/packed_model.h"

namespace uniq::pack {

/// The values of a tensor of the network by its name in the checkpoint, row-major.
using TensorSource = std::function<std::vector<float>(const std::string& name)>;

/// The tensors of a checkpoint, which must outlive the source.
TensorSource tensors_of(const format::Safetensors& file);

/// Where a packed node's values stand in the graph.
struct NodeOrigin {
  graph::NodeId first = 0;             ///< the node that it is named after
  graph::NodeId core = 0;              ///< the node whose value its v is
  std::vector<graph::NodeId> outputs;  ///< by output: the node whose value it holds or encodes
};

struct Packed {
  format::PackedModel model;
  std::vector<NodeOrigin> origins;  ///< by node of the model
};

/// Folds batch norms, lowers the graph, turns weights into codes. Throws Error that names the layer
/// and the reason where the packed form cannot express it: sums that may leave 32 bits, folded
/// parameters that are not finite, an output that is no vector. An encoded output stands for what
/// is behind a ReLU, whether it clips there itself or a stage does.
Packed pack(const format::CheckpointInfo& info, const TensorSource& tensors);

}  // namespace uniq::pack
