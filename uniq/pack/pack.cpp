#include "uniq/pack/pack.h"

#include "uniq/base/error.h"
#include "uniq/format/floats.h"
#include "uniq/pack/lowering.h"

namespace uniq::pack {

TensorSource tensors_of(const format::Safetensors& file) {
  return [&file](const std::string& name) { return format::to_floats(file.at(name)); };
}

Packed pack(const format::CheckpointInfo& info, const TensorSource& tensors) {
  const graph::Node& output = info.graph.node(info.graph.output());
  if (!output.shape.is_vector() && (output.shape.height != 1 || output.shape.width != 1))
    throw Error({.what = "the network gives a map",
                 .where = "node " + output.name,
                 .got = graph::to_string(output.shape),
                 .expected = "one value per class",
                 .remedy = "a pool and flatten before the output"});
  Packed packed = Lowering(info.graph, info.bit_plan, tensors).run();
  packed.model.preprocessing = info.preprocessing;
  packed.model.classes = info.classes;
  format::validate(packed.model, "packing");
  return packed;
}

}  // namespace uniq::pack
