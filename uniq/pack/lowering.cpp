#include "uniq/pack/lowering.h"

#include <utility>

#include "uniq/base/error.h"
#include "uniq/base/memory.h"
#include "uniq/graph/parameters.h"

namespace uniq::pack {
namespace {

using format::Encoding;
using format::PackedOp;
using format::Stage;
using format::Window;
using graph::Node;
using graph::NodeId;

/// A vector counts as a map of one pixel.
graph::Shape as_map(graph::Shape shape) {
  if (shape.is_vector()) shape.height = shape.width = 1;
  return shape;
}

Window window_of(const Node& layer) {
  const auto* conv = layer.as<graph::Conv2d>();
  if (conv == nullptr) return {};
  return {conv->kernel, conv->stride, conv->padding, conv->dilation, conv->groups};
}

template <class Pool>
Window window_of(const Pool& pool) {
  return {.kernel = pool.kernel, .stride = pool.stride, .padding = pool.padding};
}

}  // namespace

Lowering::Lowering(const graph::Graph& graph, const graph::BitPlan& plan,
                   const TensorSource& tensors, format::Contents contents)
    : graph_(graph),
      plan_(plan),
      tensors_(tensors),
      contents_(contents),
      pending_(static_cast<std::size_t>(graph.size())),
      folded_(static_cast<std::size_t>(graph.size())),
      storage_(std::make_shared<Storage>()) {}

Packed Lowering::run() {
  for (NodeId id = 0; id < graph_.size(); ++id) lower(id);
  Packed packed;
  format::PackedModel& model = packed.model;
  std::vector<int> first_value;
  int values = 0;
  for (const Draft& draft : drafts_) {
    first_value.push_back(values);
    values += static_cast<int>(draft.node.outputs.size());
  }
  const auto number = [&](const Ref& ref) {
    return first_value[static_cast<std::size_t>(ref.node)] + ref.output;
  };
  for (Draft& draft : drafts_) {
    for (const Ref& input : draft.inputs) draft.node.inputs.push_back(number(input));
    model.nodes.push_back(std::move(draft.node));
    packed.origins.push_back(std::move(draft.origin));
  }
  model.output = number(output_);
  model.storage = storage_;
  return packed;
}

void Lowering::lower(NodeId id) {
  const Node& node = graph_.node(id);
  if (graph::is_layer(node)) return lower_layer(id);
  if (node.as<graph::Input>()) {
    add_draft(id, PackedOp::input);
  } else if (node.as<graph::Add>()) {
    lower_add(id);
  } else if (const auto* max = node.as<graph::MaxPool>()) {
    lower_pool(id, PackedOp::max_pool, window_of(*max));
  } else if (const auto* average = node.as<graph::AvgPool>()) {
    lower_pool(id, PackedOp::avg_pool, window_of(*average));
  } else if (node.as<graph::GlobalAvgPool>()) {
    const graph::Shape in = graph_.node(node.inputs[0]).shape;
    const graph::Extent whole(in.height, in.width);
    lower_pool(id, PackedOp::avg_pool, {.kernel = whole, .stride = whole});
  } else if (node.as<graph::Flatten>()) {
    lower_flatten(id);
  } else {
    pending(id) = pending(node.inputs[0]);
    const bool changes_values =
        node.as<graph::BatchNorm>() || node.as<graph::Relu>() || node.as<graph::Relu6>();
    if (changes_values && !folded_[static_cast<std::size_t>(id)]) pending(id).stages.push_back(id);
    if (node.as<graph::Output>()) output_ = request(id, {});
  }
}

const Node* Lowering::following_norm(NodeId layer) const {
  const std::vector<NodeId>& readers = graph_.consumers(layer);
  if (readers.size() != 1) return nullptr;
  const Node& reader = graph_.node(readers.front());
  return reader.as<graph::BatchNorm>() ? &reader : nullptr;
}

void Lowering::lower_layer(NodeId id) {
  const Node& node = graph_.node(id);
  const Encoding encoding = input_encoding(node.name, plan_, tensors_);
  const Ref input = request(node.inputs[0], encoding);
  Draft& layer = add_draft(id, PackedOp::conv);
  layer.inputs = {input};
  layer.joins_residual = true;
  layer.node.window = window_of(node);
  if (following_norm(id) != nullptr) {
    layer.origin.core = graph_.consumers(id).front();
    folded_[static_cast<std::size_t>(layer.origin.core)] = true;
  }
  LayerParameters parameters = parameters_of(id, encoding);
  storage_->bytes.push_back(std::move(parameters.weights));
  layer.node.weights = {.bytes = storage_->bytes.back(),
                        .bits = parameters.bits,
                        .grid = parameters.grid,
                        .pad_code = parameters.pad_code,
                        .scale = keep(std::move(parameters.affine.scale)),
                        .bias = keep(std::move(parameters.affine.bias))};
}

LayerParameters Lowering::parameters_of(NodeId id, const Encoding& input) const {
  const Node& node = graph_.node(id);
  if (contents_ == format::Contents::outline) return layer_outline(node, plan_, input);
  std::optional<Norm> norm;
  if (const Node* follower = following_norm(id)) norm = read_norm(*follower, tensors_);
  const std::int64_t channels = graph_.node(node.inputs[0]).shape.channels;
  const auto weights = static_cast<std::uint64_t>(graph::tensors_of(graph_, id)[0].elements());
  return with_memory("layer " + node.name, weights * sizeof(float), [&] {
    return layer_parameters(node, channels, plan_, input, norm, tensors_);
  });
}

// From the layer on whose core the value is: every value on the way has one reader.
bool Lowering::is_read_once(NodeId id) const {
  while (graph_.consumers(id).size() == 1) {
    const Node& node = graph_.node(id);
    if (graph::is_layer(node)) return true;
    if (node.inputs.size() != 1) return false;
    id = node.inputs[0];
  }
  return false;
}

bool Lowering::can_join(const Pending& layer, const Pending& residual) const {
  const Draft& node = draft(layer.node);
  return node.joins_residual && layer.stages.empty() && node.node.outputs.empty() &&
         residual.node < layer.node;
}

// The convolution that runs last adds the other operand to its result, where nobody reads that
// before the sum.
void Lowering::lower_add(NodeId id) {
  const NodeId a = graph_.node(id).inputs[0];
  const NodeId b = graph_.node(id).inputs[1];
  for (const auto& [layer, residual] : {std::pair(a, b), std::pair(b, a)}) {
    if (!is_read_once(layer) || !can_join(pending(layer), pending(residual))) continue;
    const Ref value = request(residual, {});
    Draft& joined = draft(pending(layer).node);
    joined.inputs.push_back(value);
    joined.joins_residual = false;
    joined.origin.core = id;
    pending(id) = Pending{pending(layer).node, {}};
    return;
  }
  const Ref first = request(a, {});
  const Ref second = request(b, {});
  add_draft(id, PackedOp::add).inputs = {first, second};
}

void Lowering::lower_pool(NodeId id, PackedOp op, const Window& window) {
  const Ref input = request(graph_.node(id).inputs[0], {});
  Draft& pool = add_draft(id, op);
  pool.inputs = {input};
  pool.node.window = window;
}

void Lowering::lower_flatten(NodeId id) {
  const NodeId input = graph_.node(id).inputs[0];
  const graph::Shape shape = as_map(graph_.node(input).shape);
  if (shape.height == 1 && shape.width == 1) {
    pending(id) = pending(input);  // nothing to reorder
    return;
  }
  const Ref value = request(input, {});
  add_draft(id, PackedOp::flatten).inputs = {value};
}

Lowering::Draft& Lowering::add_draft(NodeId id, PackedOp op) {
  const Node& node = graph_.node(id);
  pending(id) = Pending{static_cast<int>(drafts_.size()), {}};
  Draft& added = drafts_.emplace_back();
  added.origin = {.first = id, .core = id, .outputs = {}};
  added.node.name = node.name;
  added.node.op = op;
  added.node.shape = as_map(node.shape);
  return added;
}

Lowering::Ref Lowering::request(NodeId id, const Encoding& encoding) {
  const Pending& value = pending(id);
  std::vector<NodeId> stages = value.stages;
  // The unsigned grid clips at 0 itself.
  if (encoding.is_codes() && encoding.grid == Grid::unsigned_)
    while (!stages.empty() && graph_.node(stages.back()).as<graph::Relu>()) stages.pop_back();
  Draft& producer = draft(value.node);
  for (std::size_t i = 0; i < producer.output_stages.size(); ++i)
    if (producer.output_stages[i] == stages && producer.node.outputs[i].encoding == encoding)
      return {value.node, static_cast<int>(i)};
  format::PackedOutput output{.stages = {}, .encoding = encoding};
  for (const NodeId stage : stages) output.stages.push_back(make_stage(stage));
  producer.node.outputs.push_back(std::move(output));
  producer.origin.outputs.push_back(id);
  producer.output_stages.push_back(std::move(stages));
  return {value.node, static_cast<int>(producer.node.outputs.size()) - 1};
}

Stage Lowering::make_stage(NodeId id) {
  const Node& node = graph_.node(id);
  if (node.as<graph::Relu>()) return {.kind = Stage::Kind::relu};
  if (node.as<graph::Relu6>()) return {.kind = Stage::Kind::relu6};
  if (contents_ == format::Contents::outline) return {.kind = Stage::Kind::affine};
  Affine affine = to_affine(read_norm(node, tensors_), node.name);
  return {.kind = Stage::Kind::affine,
          .scale = keep(std::move(affine.scale)),
          .bias = keep(std::move(affine.bias))};
}

std::span<const float> Lowering::keep(std::vector<float> values) {
  storage_->floats.push_back(std::move(values));
  return storage_->floats.back();
}

}  // namespace uniq::pack
