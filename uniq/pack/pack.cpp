#include "uniq/pack/pack.h"

#include <cmath>

#include "uniq/base/error.h"
#include "uniq/format/floats.h"
#include "uniq/pack/lowering.h"

namespace uniq::pack {

TensorSource tensors_of(const format::Safetensors& file) {
  return [&file](const std::string& name) { return format::to_floats(file.at(name)); };
}

namespace {

Packed lowered(const format::CheckpointInfo& info, const TensorSource& tensors,
               format::Contents contents) {
  const graph::Node& output = info.graph.node(info.graph.output());
  if (!output.shape.is_vector() && (output.shape.height != 1 || output.shape.width != 1))
    throw Error({.what = "the network gives a map",
                 .where = "node " + output.name,
                 .got = graph::to_string(output.shape),
                 .expected = "one value per class",
                 .remedy = "a pool and flatten before the output"});
  Packed packed = Lowering(info.graph, info.bit_plan, tensors, contents).run();
  packed.model.preprocessing = info.preprocessing;
  packed.model.classes = info.classes;
  format::validate(packed.model, "packing", contents);
  return packed;
}

}  // namespace

Packed pack(const format::CheckpointInfo& info, const TensorSource& tensors) {
  return lowered(info, tensors, format::Contents::whole);
}

void check_can_pack(const format::CheckpointInfo& info) {
  // An outline asks for nothing but the steps of activations.
  const TensorSource different_steps = [step = 1.0f](const std::string&) mutable {
    step = std::nextafter(step, 2.0f);
    return std::vector<float>{step};
  };
  lowered(info, different_steps, format::Contents::outline);
}

void check_can_pack(const graph::Graph& graph, const graph::BitPlan& plan) {
  const graph::Shape& picture = graph.node(graph.input()).shape;
  const auto channels = static_cast<std::size_t>(picture.channels);
  check_can_pack({.graph = graph,
                  .bit_plan = plan,
                  .preprocessing = {.channels = picture.channels,
                                    .height = picture.height,
                                    .width = picture.width,
                                    .mean = std::vector<float>(channels, 0.0f),
                                    .deviation = std::vector<float>(channels, 1.0f)},
                  .classes = {},
                  .training = {}});
}

}  // namespace uniq::pack
