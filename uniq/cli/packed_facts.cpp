#include "uniq/cli/packed_facts.h"

namespace uniq::cli {

std::vector<PackedCost> packed_costs(const format::PackedModel& model) {
  const std::vector<format::PackedValue> values = format::values_of(model);
  std::vector<PackedCost> costs;
  for (const format::PackedNode& node : model.nodes) {
    PackedCost& cost = costs.emplace_back();
    if (node.op != format::PackedOp::conv) continue;
    const graph::Shape& in = values[static_cast<std::size_t>(node.inputs[0])].shape;
    const format::Window& window = node.window;
    cost.weights = node.shape.channels * window.kernel.height * window.kernel.width *
                   (in.channels / window.groups);
    cost.macs = cost.weights * node.shape.height * node.shape.width;
  }
  return costs;
}

std::vector<std::string> class_names(const format::PackedModel& model) {
  if (!model.classes.empty()) return model.classes;
  const auto output = static_cast<std::size_t>(model.output);
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < format::values_of(model)[output].shape.channels; ++i)
    names.push_back(std::to_string(i));
  return names;
}

std::string bits_text(int bits) { return bits == 0 ? "fp32" : std::to_string(bits); }

int bits_number(int bits) { return bits == 0 ? 32 : bits; }

}  // namespace uniq::cli
