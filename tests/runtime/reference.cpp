#include "tests/runtime/reference.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace uniq::testing {
namespace {

using format::PackedNode;
using format::PackedOp;
using format::PackedValue;

struct Machine {
  const format::PackedModel& model;
  std::vector<PackedValue> values;
  std::vector<float> pixels;  ///< data::pixel_values
  std::vector<ReferenceValue> data = {};
  // Of the convolution that is computed: the integers of its weights, in the order of the file, and
  // those of all codes that its input may have.
  std::vector<int> weights = {};
  std::vector<int> inputs = {};

  const graph::Shape& shape_of(int value) const {
    return values[static_cast<std::size_t>(value)].shape;
  }
  static std::size_t at(const graph::Shape& s, std::int64_t y, std::int64_t x, std::int64_t c) {
    return static_cast<std::size_t>((y * s.width + x) * s.channels + c);
  }
  float value(int id, std::int64_t y, std::int64_t x, std::int64_t c) const {
    return data[static_cast<std::size_t>(id)].floats[at(shape_of(id), y, x, c)];
  }

  /// Calls body(ky, kx, y, x, inside) over the window of output (oy, ox).
  template <class Body>
  void over_window(const PackedNode& node, std::int64_t oy, std::int64_t ox, Body body) const {
    const format::Window& w = node.window;
    const graph::Shape& in = shape_of(node.inputs[0]);
    for (std::int64_t ky = 0; ky < w.kernel.height; ++ky)
      for (std::int64_t kx = 0; kx < w.kernel.width; ++kx) {
        const std::int64_t y = oy * w.stride.height - w.padding.height + ky * w.dilation.height;
        const std::int64_t x = ox * w.stride.width - w.padding.width + kx * w.dilation.width;
        body(ky, kx, y, x, y >= 0 && y < in.height && x >= 0 && x < in.width);
      }
  }

  static int weight_code(const PackedNode& node, std::size_t index) {
    int code = 0;
    for (int bit = 0; bit < node.weights.bits; ++bit) {
      const std::size_t place =
          index * static_cast<std::size_t>(node.weights.bits) + static_cast<std::size_t>(bit);
      const auto byte = static_cast<unsigned>(node.weights.bytes[place / 8]);
      code |= static_cast<int>(byte >> (place % 8) & 1U) << bit;
    }
    return code;
  }

  void prepare_conv(const PackedNode& node) {
    weights.clear();
    inputs.clear();
    if (node.weights.bits == 0) return;
    const PackedValue& input = values[static_cast<std::size_t>(node.inputs[0])];
    const format::Window& w = node.window;
    const auto count = static_cast<std::size_t>(node.shape.channels * w.kernel.height *
                                                w.kernel.width * input.shape.channels / w.groups);
    for (std::size_t i = 0; i < count; ++i)
      weights.push_back(code_integer(weight_code(node, i), node.weights.grid, node.weights.bits));
    for (int code = 0; code < 1 << input.encoding.bits; ++code)
      inputs.push_back(code_integer(code, input.encoding.grid, input.encoding.bits));
  }

  float conv(const PackedNode& node, std::int64_t oy, std::int64_t ox, std::int64_t oc) const {
    const PackedValue& input = values[static_cast<std::size_t>(node.inputs[0])];
    const std::int64_t per_group = input.shape.channels / node.window.groups;
    const std::int64_t group = oc / (node.shape.channels / node.window.groups);
    std::int64_t sum = 0;
    float chain = 0.0f;
    over_window(
        node, oy, ox,
        [&](std::int64_t ky, std::int64_t kx, std::int64_t y, std::int64_t x, bool inside) {
          for (std::int64_t i = 0; i < per_group; ++i) {
            const std::int64_t c = group * per_group + i;
            const auto index = static_cast<std::size_t>(
                ((oc * node.window.kernel.height + ky) * node.window.kernel.width + kx) *
                    per_group +
                i);
            if (node.weights.bits == 0) {
              float weight = 0.0f;
              std::memcpy(&weight, node.weights.bytes.data() + index * sizeof weight,
                          sizeof weight);
              if (inside) chain = std::fma(value(node.inputs[0], y, x, c), weight, chain);
              continue;
            }
            if (!inside && node.weights.pad_code == format::kLeaveOut) continue;
            const int code =
                inside
                    ? data[static_cast<std::size_t>(node.inputs[0])].codes[at(input.shape, y, x, c)]
                    : node.weights.pad_code;
            sum += std::int64_t{weights[index]} * inputs[static_cast<std::size_t>(code)];
          }
        });
    const float total = node.weights.bits == 0 ? chain : static_cast<float>(sum);
    const auto channel = static_cast<std::size_t>(oc);
    const float v = std::fma(total, node.weights.scale[channel], node.weights.bias[channel]);
    return node.inputs.size() == 1 ? v : v + value(node.inputs[1], oy, ox, oc);
  }

  float pool(const PackedNode& node, std::int64_t oy, std::int64_t ox, std::int64_t c) const {
    float largest = -std::numeric_limits<float>::infinity();
    float sum = 0.0f;
    over_window(node, oy, ox,
                [&](std::int64_t, std::int64_t, std::int64_t y, std::int64_t x, bool inside) {
                  if (!inside) return;
                  const float v = value(node.inputs[0], y, x, c);
                  if (v > largest) largest = v;
                  sum += v;
                });
    if (node.op == PackedOp::max_pool) return largest;
    return sum / static_cast<float>(node.window.kernel.height * node.window.kernel.width);
  }

  float core(const PackedNode& node, std::span<const std::uint8_t> picture, std::int64_t y,
             std::int64_t x, std::int64_t c) const {
    switch (node.op) {
      case PackedOp::input:
        return pixels[static_cast<std::size_t>(c * 256) + picture[at(node.shape, y, x, c)]];
      case PackedOp::conv:
        return conv(node, y, x, c);
      case PackedOp::add:
        return value(node.inputs[0], y, x, c) + value(node.inputs[1], y, x, c);
      case PackedOp::flatten: {
        const graph::Shape& in = shape_of(node.inputs[0]);
        const std::int64_t pixels = in.height * in.width;
        return value(node.inputs[0], c % pixels / in.width, c % in.width, c / pixels);
      }
      default:
        return pool(node, y, x, c);
    }
  }

  static float staged(float v, const format::PackedOutput& output, std::size_t c) {
    for (const format::Stage& stage : output.stages) {
      if (stage.kind == format::Stage::Kind::affine) {
        v = std::fma(v, stage.scale[c], stage.bias[c]);
      } else {
        v = v > 0.0f ? v : 0.0f;
        if (stage.kind == format::Stage::Kind::relu6 && v > 6.0f) v = 6.0f;
      }
    }
    return v;
  }

  void run(const PackedNode& node, std::span<const std::uint8_t> picture) {
    if (node.op == PackedOp::conv) prepare_conv(node);
    std::vector<float> cores;
    for (std::int64_t y = 0; y < node.shape.height; ++y)
      for (std::int64_t x = 0; x < node.shape.width; ++x)
        for (std::int64_t c = 0; c < node.shape.channels; ++c)
          cores.push_back(core(node, picture, y, x, c));
    for (const format::PackedOutput& output : node.outputs) {
      ReferenceValue made;
      for (std::size_t i = 0; i < cores.size(); ++i) {
        const float v = staged(cores[i], output, i % static_cast<std::size_t>(node.shape.channels));
        const format::Encoding& e = output.encoding;
        if (e.is_codes()) {
          made.codes.push_back(quantize(v, e.step, e.grid, e.bits));
        } else {
          made.floats.push_back(v);
        }
      }
      data.push_back(std::move(made));
    }
  }
};

}  // namespace

std::vector<ReferenceValue> reference_run(const format::PackedModel& model,
                                          std::span<const std::uint8_t> picture) {
  Machine machine{model, format::values_of(model), data::pixel_values(model.preprocessing)};
  for (const PackedNode& node : model.nodes) machine.run(node, picture);
  return std::move(machine.data);
}

}  // namespace uniq::testing
