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
/// and the reason where the packed form cannot express it: whatever check_can_pack refuses, and
/// folded parameters that are not finite. An encoded output stands for what
/// is behind a ReLU, whether it clips there itself or a stage does.
Packed pack(const format::CheckpointInfo& info, const TensorSource& tensors);

/// Throws the Error of pack() where no tensors let the network be packed (docs/graph.md lists the
/// limits): for use before training. Lowers the graph without its tensors, with steps that all
/// differ, as learned ones do; takes milliseconds.
void check_can_pack(const format::CheckpointInfo& info);

/// The same for a network without a data set: pictures of the graph's size.
void check_can_pack(const graph::Graph& graph, const graph::BitPlan& plan);

}  // namespace uniq::pack
