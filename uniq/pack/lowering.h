// The graph's nodes one after the other, each made part of the packed network: batch norms, ReLUs
// and dropouts become stages of what they follow, adds the residuals of convolutions where they
// can.
#pragma once

#include <deque>
#include <vector>

#include "uniq/format/checkpoint.h"
#include "uniq/format/packed_model.h"
#include "uniq/pack/pack.h"
#include "uniq/pack/parameters.h"

namespace uniq::pack {

class Lowering {
 public:
  /// Of an outline, the tensors are asked for the steps of activations alone.
  Lowering(const graph::Graph& graph, const graph::BitPlan& plan, const TensorSource& tensors,
           format::Contents contents = format::Contents::whole);

  /// The nodes and the output of the packed network, what their spans point to, and the origins.
  /// Called once.
  Packed run();

 private:
  /// A graph node's value: the core of a packed node, and what is still to be done to it.
  struct Pending {
    int node = 0;
    std::vector<graph::NodeId> stages;  ///< batch norms and ReLUs, in order
  };
  /// An output of a packed node; numbered only when all outputs are known.
  struct Ref {
    int node = 0;
    int output = 0;
  };
  /// A packed node in the making.
  struct Draft {
    format::PackedNode node;
    NodeOrigin origin;
    std::vector<Ref> inputs;
    std::vector<std::vector<graph::NodeId>> output_stages;  ///< by output, to share equal ones
    bool joins_residual = false;                            ///< a convolution that has none yet
  };
  /// Vectors that the model's spans point to, which must not move.
  struct Storage {
    std::deque<std::vector<float>> floats;
    std::deque<std::vector<std::byte>> bytes;
  };

  void lower(graph::NodeId id);
  void lower_layer(graph::NodeId id);
  /// With the batch norm behind the layer where it has one.
  LayerParameters parameters_of(graph::NodeId id, const format::Encoding& input) const;
  void lower_add(graph::NodeId id);
  void lower_pool(graph::NodeId id, format::PackedOp op, const format::Window& window);
  void lower_flatten(graph::NodeId id);

  Draft& add_draft(graph::NodeId id, format::PackedOp op);
  /// The output of a value in this encoding; made where it is not there yet.
  Ref request(graph::NodeId id, const format::Encoding& encoding);
  format::Stage make_stage(graph::NodeId id);
  bool is_read_once(graph::NodeId id) const;
  bool can_join(const Pending& layer, const Pending& residual) const;
  /// The only reader of a layer where that is a batch norm.
  const graph::Node* following_norm(graph::NodeId layer) const;
  Pending& pending(graph::NodeId id) { return pending_[static_cast<std::size_t>(id)]; }
  Draft& draft(int node) { return drafts_[static_cast<std::size_t>(node)]; }
  const Draft& draft(int node) const { return drafts_[static_cast<std::size_t>(node)]; }
  std::span<const float> keep(std::vector<float> values);

  const graph::Graph& graph_;
  const graph::BitPlan& plan_;
  const TensorSource& tensors_;
  format::Contents contents_;
  std::vector<Pending> pending_;  ///< by graph node
  std::vector<bool> folded_;      ///< batch norms that became part of a layer, by graph node
  std::vector<Draft> drafts_;
  Ref output_;
  std::shared_ptr<Storage> storage_;
};

}  // namespace uniq::pack
