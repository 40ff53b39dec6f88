#include "uniq/cli/layer_steps.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "uniq/format/floats.h"
#include "uniq/grid/step.h"

namespace uniq::cli {
namespace {

const format::TensorView* find(const format::Safetensors& file, const std::string& name) {
  const auto found = file.tensors().find(name);
  return found == file.tensors().end() ? nullptr : &found->second;
}

StepRange range_of(const format::TensorView& tensor, double divisor) {
  const std::vector<float> steps = format::to_floats(tensor);
  if (steps.empty()) return {};
  const auto [smallest, largest] = std::ranges::minmax(steps);
  return {smallest / divisor, largest / divisor};
}

double mean_magnitude(const std::vector<float>& values) {
  double sum = 0.0;
  for (const float value : values) sum += std::fabs(static_cast<double>(value));
  return values.empty() ? 0.0 : sum / static_cast<double>(values.size());
}

}  // namespace

StepRange weight_steps(const format::Safetensors& file, const format::CheckpointInfo& info,
                       const std::string& layer) {
  if (const auto* steps = find(file, layer + ".quan_w.delta")) return range_of(*steps, 1.0);
  const int bits = info.bit_plan.at(layer).weight_bits;
  const double step = bits == 1
                          ? 2.0 * mean_magnitude(format::to_floats(file.at(layer + ".weight")))
                          : 2.0 / max_code(bits);
  if (step == 0.0) return {kStepOfZeros, kStepOfZeros};
  return {step, step};
}

StepRange activation_steps(const format::Safetensors& file, const format::CheckpointInfo& info,
                           const std::string& layer) {
  const double largest_code = max_code(info.bit_plan.at(layer).activation_bits);
  if (const auto* steps = find(file, layer + ".quan_a.delta")) return range_of(*steps, 1.0);
  if (const auto* bound = find(file, layer + ".quan_a.alpha")) {
    return range_of(*bound, largest_code);
  }
  return {1.0 / largest_code, 1.0 / largest_code};
}

}  // namespace uniq::cli
