#include "uniq/pack/parameters.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>

#include "uniq/base/error.h"
#include "uniq/base/text.h"
#include "uniq/grid/dorefa.h"
#include "uniq/grid/step.h"

namespace uniq::pack {
namespace {

using format::Encoding;
using graph::LayerBits;
using graph::Method;

/// [out][in / groups][kernel row][kernel column].
struct WeightShape {
  std::size_t out = 0;
  std::size_t in = 0;
  std::size_t taps = 1;
  std::size_t per_output() const { return in * taps; }
};

WeightShape weight_shape(const graph::Node& layer, std::int64_t in_channels) {
  if (const auto* conv = layer.as<graph::Conv2d>())
    return {static_cast<std::size_t>(conv->out_channels),
            static_cast<std::size_t>(in_channels / conv->groups),
            static_cast<std::size_t>(conv->kernel.height * conv->kernel.width)};
  return {static_cast<std::size_t>(layer.as<graph::Linear>()->out_features),
          static_cast<std::size_t>(in_channels)};
}

bool has_bias(const graph::Node& layer) {
  if (const auto* conv = layer.as<graph::Conv2d>()) return conv->bias;
  return layer.as<graph::Linear>()->bias;
}

/// PyTorch's order to [out][kernel row][kernel column][in / groups].
std::vector<float> to_packed_order(const std::vector<float>& weights, const WeightShape& shape) {
  std::vector<float> ordered(weights.size());
  for (std::size_t out = 0; out < shape.out; ++out)
    for (std::size_t in = 0; in < shape.in; ++in)
      for (std::size_t tap = 0; tap < shape.taps; ++tap)
        ordered[(out * shape.taps + tap) * shape.in + in] =
            weights[(out * shape.in + in) * shape.taps + tap];
  return ordered;
}

bool is_dorefa(Method method) { return method == Method::dorefa || method == Method::pact; }

void require_usable(float step, Grid grid, int bits, const std::string& layer) {
  if (is_usable_step(step, grid, bits)) return;
  throw Error({.what = "a step that fp32 cannot hold, or whose largest value it cannot",
               .where = "layer " + layer,
               .got = number_text(step),
               .expected = "above 0 and at most " + number_text(largest_step(grid, bits))});
}

/// The step of every output channel, or one.
std::vector<float> weight_steps(const std::string& layer, const LayerBits& bits, Method method,
                                const std::vector<float>& weights, const TensorSource& tensors) {
  std::vector<float> steps = is_dorefa(method) ? std::vector{dorefa_step(weights, bits.weight_bits)}
                                               : tensors(layer + ".quan_w.delta");
  for (const float step : steps) require_usable(step, bits.weight_grid, bits.weight_bits, layer);
  return steps;
}

/// What is put on the grid.
std::vector<float> transformed(std::vector<float> weights, const LayerBits& bits, Method method) {
  if (!is_dorefa(method) || bits.weight_bits == 1) return weights;
  float largest = 0.0f;
  for (float& w : weights) {
    w = dorefa_tanh(w);
    largest = std::max(largest, std::abs(w));
  }
  for (float& w : weights) w /= dorefa_divisor(largest);
  return weights;
}

std::vector<std::byte> weight_codes(const std::vector<float>& weights, const WeightShape& shape,
                                    const LayerBits& bits, const std::vector<float>& steps) {
  std::vector<std::uint8_t> codes(weights.size());
  for (std::size_t out = 0; out < shape.out; ++out) {
    const float step = steps.size() == 1 ? steps[0] : steps[out];
    for (std::size_t i = out * shape.per_output(); i < (out + 1) * shape.per_output(); ++i)
      codes[i] = quantize(weights[i], step, bits.weight_grid, bits.weight_bits);
  }
  std::vector<std::byte> dense(format::dense_bytes(codes.size(), bits.weight_bits));
  format::pack_codes(codes, bits.weight_bits, dense);
  return dense;
}

/// The value 0.0, as which training pads whatever the grid; the mid-rise grid has no code for it.
int code_of_zero(const Encoding& input) {
  switch (input.grid) {
    case Grid::unsigned_:
      return 0;
    case Grid::mid_tread:
      return 1 << (input.bits - 1);
    case Grid::mid_rise:
      break;
  }
  return format::kLeaveOut;
}

void require_finite(const Affine& affine, const std::string& name) {
  const auto finite = [](float v) { return std::isfinite(v); };
  if (std::ranges::all_of(affine.scale, finite) && std::ranges::all_of(affine.bias, finite)) return;
  throw Error({.what = "folding gives a parameter that fp32 cannot hold",
               .where = "layer " + name,
               .remedy = "to inspect the checkpoint's steps and batch norms"});
}

}  // namespace

Norm read_norm(const graph::Node& node, const TensorSource& tensors) {
  const double eps = node.as<graph::BatchNorm>()->eps;
  const std::vector<float> weight = tensors(node.name + ".weight");
  const std::vector<float> bias = tensors(node.name + ".bias");
  const std::vector<float> mean = tensors(node.name + ".running_mean");
  const std::vector<float> variance = tensors(node.name + ".running_var");
  Norm norm{.factor = {}, .mean = {mean.begin(), mean.end()}, .shift = {bias.begin(), bias.end()}};
  for (std::size_t c = 0; c < weight.size(); ++c) {
    const double factor = weight[c] / std::sqrt(static_cast<double>(variance[c]) + eps);
    if (!std::isfinite(factor))
      throw Error({.what = "a batch norm divides by no positive number",
                   .where = node.name + ".running_var, channel " + std::to_string(c),
                   .got = number_text(variance[c]),
                   .expected = "a variance of at least 0"});
    norm.factor.push_back(factor);
  }
  return norm;
}

Affine to_affine(const Norm& norm, const std::string& name) {
  Affine affine;
  for (std::size_t c = 0; c < norm.factor.size(); ++c) {
    affine.scale.push_back(static_cast<float>(norm.factor[c]));
    affine.bias.push_back(static_cast<float>(norm.shift[c] - norm.mean[c] * norm.factor[c]));
  }
  require_finite(affine, name);
  return affine;
}

Encoding input_encoding(const std::string& layer, const graph::BitPlan& plan,
                        const TensorSource& tensors) {
  const LayerBits& bits = plan.at(layer);
  if (!bits.quantized()) return {};
  Encoding encoding{.bits = bits.activation_bits, .grid = bits.activation_grid};
  const auto largest = static_cast<float>(max_code(bits.activation_bits));
  // The picture is quantized as UniQ does it, whatever the method.
  if (bits.range != graph::ActivationRange::image && plan.method == Method::pact) {
    encoding.step = tensors(layer + ".quan_a.alpha").at(0) / largest;
  } else if (bits.range != graph::ActivationRange::image && plan.method == Method::dorefa) {
    encoding.step = 1.0f / largest;
  } else {
    encoding.step = tensors(layer + ".quan_a.delta").at(0);
  }
  require_usable(encoding.step, encoding.grid, encoding.bits, layer);
  return encoding;
}

LayerParameters layer_outline(const graph::Node& layer, const graph::BitPlan& plan,
                              const Encoding& input) {
  const LayerBits& bits = plan.at(layer.name);
  if (!bits.quantized()) return {};
  LayerParameters outline;
  outline.bits = bits.weight_bits;
  outline.grid = bits.weight_grid;
  outline.pad_code = code_of_zero(input);
  return outline;
}

LayerParameters layer_parameters(const graph::Node& layer, std::int64_t in_channels,
                                 const graph::BitPlan& plan, const Encoding& input,
                                 const std::optional<Norm>& norm, const TensorSource& tensors) {
  const LayerBits& bits = plan.at(layer.name);
  const WeightShape shape = weight_shape(layer, in_channels);
  const std::vector<float> weights = tensors(layer.name + ".weight");
  LayerParameters result = layer_outline(layer, plan, input);
  std::vector<double> units = {1.0};  // of one in the sum, per output channel or all
  if (bits.quantized()) {
    const std::vector<float> steps = weight_steps(layer.name, bits, plan.method, weights, tensors);
    result.weights = weight_codes(to_packed_order(transformed(weights, bits, plan.method), shape),
                                  shape, bits, steps);
    units.clear();
    for (const float step : steps)
      units.push_back(code_unit(step, bits.weight_grid) * code_unit(input.step, input.grid));
  } else {
    const std::vector<float> ordered = to_packed_order(weights, shape);
    result.weights.resize(ordered.size() * sizeof(float));
    std::memcpy(result.weights.data(), ordered.data(), result.weights.size());
  }
  std::vector<float> bias(shape.out, 0.0f);
  if (has_bias(layer)) bias = tensors(layer.name + ".bias");
  for (std::size_t out = 0; out < shape.out; ++out) {
    const double unit = units.size() == 1 ? units[0] : units[out];
    if (!norm) {
      result.affine.scale.push_back(static_cast<float>(unit));
      result.affine.bias.push_back(bias[out]);
      continue;
    }
    result.affine.scale.push_back(static_cast<float>(unit * norm->factor[out]));
    result.affine.bias.push_back(static_cast<float>(
        (static_cast<double>(bias[out]) - norm->mean[out]) * norm->factor[out] + norm->shift[out]));
  }
  require_finite(result.affine, layer.name);
  return result;
}

}  // namespace uniq::pack
