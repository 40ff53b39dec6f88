#include "uniq/format/checkpoint_tensors.h"

#include <cmath>
#include <cstddef>
#include <string_view>

#include "uniq/base/error.h"
#include "uniq/base/text.h"
#include "uniq/format/checkpoint.h"
#include "uniq/format/floats.h"
#include "uniq/graph/parameters.h"
#include "uniq/grid/step.h"

namespace uniq::format {
namespace {

using Shapes = std::map<std::string, std::vector<std::int64_t>>;

constexpr std::string_view kWeightStep = ".quan_w.delta";
constexpr std::string_view kActivationStep = ".quan_a.delta";
constexpr std::string_view kActivationBound = ".quan_a.alpha";

void add_learned(const graph::Node& node, const graph::BitPlan& plan, Shapes& shapes) {
  const graph::LayerBits& bits = plan.at(node.name);
  if (!bits.quantized()) return;
  const auto name = [&node](std::string_view suffix) { return node.name + std::string(suffix); };
  const bool learns_steps = plan.method == graph::Method::uniq || plan.method == graph::Method::lsq;
  if (learns_steps) {
    const bool per_kernel = bits.granularity == graph::Granularity::kernel;
    shapes[name(kWeightStep)] = {per_kernel ? node.shape.channels : 1};
  }
  if (learns_steps || bits.range == graph::ActivationRange::image) {
    shapes[name(kActivationStep)] = {1};
  } else if (plan.method == graph::Method::pact) {
    shapes[name(kActivationBound)] = {1};
  }
}

std::string to_string(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  text += ']';
  return text;
}

[[noreturn]] void fail(const std::string& what, const Safetensors& file, const std::string& name,
                       const std::string& got, const std::string& expected,
                       const std::string& remedy = "") {
  throw Error(ErrorText{.what = what,
                        .where = file.where() + ", tensor " + quoted_name(name),
                        .got = got,
                        .expected = expected,
                        .remedy = remedy});
}

void check_known(const Safetensors& file, const Shapes& expected) {
  for (const auto& [name, view] : file.tensors()) {
    if (expected.contains(name) || name.starts_with(kTrainingPrefix)) continue;
    std::vector<std::string> names;
    for (const auto& [known, shape] : expected) names.push_back(known);
    const std::string nearest = nearest_name(name, names);
    fail("the network of the checkpoint has no such tensor", file, name, "", "",
         nearest.empty() ? "" : quoted_name(nearest));
  }
}

bool is_positive(std::string_view name) {
  return name.ends_with(kWeightStep) || name.ends_with(kActivationStep) ||
         name.ends_with(kActivationBound);
}

void check_values(const Safetensors& file, const TensorView& view) {
  const bool positive = is_positive(view.name);
  const std::size_t count = view.bytes.size() / dtype_size(view.dtype);
  for (std::size_t i = 0; i < count; ++i) {
    const float value = float_at(view, i);
    if (std::isfinite(value) && (value > 0 || !positive)) continue;
    fail("value in the checkpoint cannot be right", file, view.name,
         number_text(value) + " at index " + std::to_string(i),
         positive ? "a finite number above 0" : "a finite number",
         "an earlier checkpoint of the run");
  }
}

void check_tensor(const Safetensors& file, const std::string& name,
                  const std::vector<std::int64_t>& shape) {
  const auto found = file.tensors().find(name);
  const bool counts = name.ends_with(kBatchCounter);
  if (found == file.tensors().end()) {
    if (counts) return;
    fail("the checkpoint lacks a tensor of its network", file, name, "", to_string(shape));
  }
  const TensorView& view = found->second;
  if (view.shape != shape) {
    fail("tensor has another shape than its network says", file, name, to_string(view.shape),
         to_string(shape));
  }
  if (counts ? view.dtype != DType::i64 : !widens_to_float(view.dtype)) {
    fail("tensor has another type than its network says", file, name,
         std::string(dtype_name(view.dtype)), counts ? "I64" : "F32, F16 or BF16");
  }
  if (!counts) check_values(file, view);
}

/// The largest values of the steps in a tensor, each divided by `divisor` in fp32, are finite.
void check_steps(const Safetensors& file, const std::string& name, Grid grid, int bits,
                 float divisor = 1.0f) {
  const auto found = file.tensors().find(name);
  if (found == file.tensors().end()) return;  // nothing is learned there
  const std::vector<float> values = to_floats(found->second);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (is_usable_step(values[i] / divisor, grid, bits)) continue;
    fail("a step cannot be right: fp32 does not hold it or its largest value", file, name,
         number_text(values[i]) + " at index " + std::to_string(i),
         "at most " + number_text(largest_step(grid, bits) * divisor),
         "an earlier checkpoint of the run");
  }
}

void check_layer_steps(const Safetensors& file, const std::string& layer,
                       const graph::LayerBits& bits) {
  const auto largest_code = static_cast<float>(max_code(bits.activation_bits));
  check_steps(file, layer + std::string(kWeightStep), bits.weight_grid, bits.weight_bits);
  check_steps(file, layer + std::string(kActivationStep), bits.activation_grid,
              bits.activation_bits);
  check_steps(file, layer + std::string(kActivationBound), bits.activation_grid,
              bits.activation_bits, largest_code);
}

}  // namespace

Shapes expected_tensors(const graph::Graph& graph, const graph::BitPlan& plan) {
  Shapes shapes;
  for (graph::NodeId id = 0; id < graph.size(); ++id) {
    const graph::Node& node = graph.node(id);
    for (graph::TensorInfo& tensor : graph::tensors_of(graph, id)) {
      shapes[std::move(tensor.name)] = std::move(tensor.shape);
    }
    if (node.as<graph::BatchNorm>() != nullptr) shapes[node.name + std::string(kBatchCounter)] = {};
    if (graph::is_layer(node)) add_learned(node, plan, shapes);
  }
  return shapes;
}

void check_tensors(const Safetensors& file, const graph::Graph& graph, const graph::BitPlan& plan) {
  const Shapes expected = expected_tensors(graph, plan);
  check_known(file, expected);
  for (const auto& [name, shape] : expected) check_tensor(file, name, shape);
  for (const auto& [layer, bits] : plan.layers) {
    if (bits.quantized()) check_layer_steps(file, layer, bits);
  }
}

}  // namespace uniq::format
