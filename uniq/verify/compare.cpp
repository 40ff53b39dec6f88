#include "uniq/verify/compare.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "uniq/base/text.h"

namespace uniq::verify {
namespace {

using format::PackedModel;
using format::PackedNode;
using format::PackedOutput;
using format::Stage;
using Position = std::vector<Coordinate>;

std::string text_of(const std::string& value) { return "'" + value + "'"; }
std::string text_of(std::int64_t value) { return std::to_string(value); }
std::string text_of(float value) { return number_text(value); }
std::string text_of(Grid grid) { return std::string(grid_name(grid)); }
std::string text_of(format::PackedOp op) { return std::string(format::packed_op_name(op)); }
std::string text_of(const graph::Shape& shape) { return graph::to_string(shape); }
std::string text_of(Stage::Kind kind) {
  return kind == Stage::Kind::affine ? "affine" : kind == Stage::Kind::relu ? "relu" : "relu6";
}
std::string text_of(const format::Window& w) {
  return "kernel " + to_string(w.kernel) + ", stride " + to_string(w.stride) + ", padding " +
         to_string(w.padding) + ", dilation " + to_string(w.dilation) + ", groups " +
         std::to_string(w.groups);
}
std::string text_of(const std::vector<int>& values) {
  std::vector<std::string> texts;
  texts.reserve(values.size());
  for (const int value : values) texts.push_back(std::to_string(value));
  return join(texts, " ");
}

template <class T>
bool same_bits(const T& a, const T& b) {
  return a == b;
}
bool same_bits(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

class Comparison {
 public:
  Comparison(const PackedModel& expected, const PackedModel& model, Report& report)
      : expected_(expected), model_(model), report_(report) {}

  void run() {
    if (!same_pictures()) return;
    if (!same("the network", "number of nodes", {}, std::ssize(expected_.nodes),
              std::ssize(model_.nodes)))
      return;
    for (std::size_t i = 0; i < expected_.nodes.size(); ++i)
      if (!same_node(expected_.nodes[i], model_.nodes[i])) return;
    if (!same("the network", "value that is the output", {}, std::int64_t{expected_.output},
              std::int64_t{model_.output}))
      return;
    same_list("the network", "class", "class", std::span(expected_.classes),
              std::span(model_.classes));
  }

 private:
  template <class T>
  bool same(const std::string& layer, const std::string& what, const Position& position,
            const T& expected, const T& found) {
    if (same_bits(expected, found)) return true;
    report_.failure = Failure{.proof = Proof::parameters,
                              .layer = layer,
                              .what = what,
                              .position = position,
                              .packed = text_of(found),
                              .trained = text_of(expected),
                              .allowed = "",
                              .kernel = ""};
    return false;
  }

  template <class T>
  bool same_list(const std::string& layer, const std::string& what, const std::string& index,
                 std::span<const T> expected, std::span<const T> found) {
    if (!same(layer, "number of " + what + "s", {}, std::ssize(expected), std::ssize(found)))
      return false;
    for (std::size_t i = 0; i < expected.size(); ++i)
      if (!same(layer, what, {{index, static_cast<std::int64_t>(i)}}, expected[i], found[i]))
        return false;
    return true;
  }
  bool same_parameters(const std::string& layer, const std::string& what,
                       std::span<const float> expected, std::span<const float> found) {
    if (!same_list(layer, what, "channel", expected, found)) return false;
    report_.parameters += std::ssize(expected);
    return true;
  }

  bool same_pictures() {
    const data::Preprocessing& a = expected_.preprocessing;
    const data::Preprocessing& b = model_.preprocessing;
    const std::string layer = "the input";
    return same(layer, "shape of the pictures", {}, graph::Shape{a.channels, a.height, a.width},
                graph::Shape{b.channels, b.height, b.width}) &&
           same(layer, "resize rule", {}, a.resize, b.resize) &&
           same_list(layer, "mean", "channel", std::span(a.mean), std::span(b.mean)) &&
           same_list(layer, "deviation", "channel", std::span(a.deviation), std::span(b.deviation));
  }

  bool same_node(const PackedNode& a, const PackedNode& b) {
    const bool is_same = same(a.name, "name", {}, a.name, b.name) &&
                         same(a.name, "operator", {}, a.op, b.op) &&
                         same(a.name, "inputs", {}, a.inputs, b.inputs) &&
                         same(a.name, "shape", {}, a.shape, b.shape) &&
                         same(a.name, "window", {}, a.window, b.window);
    if (!is_same) return false;
    if (a.op == format::PackedOp::conv) {
      if (!same_layer(a, b)) return false;
      ++report_.layers;
    }
    if (!same(a.name, "number of outputs", {}, std::ssize(a.outputs), std::ssize(b.outputs)))
      return false;
    for (std::size_t i = 0; i < a.outputs.size(); ++i, ++value_)
      if (!same_output(a.name, a.outputs[i], b.outputs[i])) return false;
    return true;
  }

  bool same_layer(const PackedNode& node, const PackedNode& found) {
    const format::PackedWeights& a = node.weights;
    const format::PackedWeights& b = found.weights;
    return same(node.name, "weight bits", {}, std::int64_t{a.bits}, std::int64_t{b.bits}) &&
           same(node.name, "weight grid", {}, a.grid, b.grid) &&
           same(node.name, "border (code outside the picture)", {}, std::int64_t{a.pad_code},
                std::int64_t{b.pad_code}) &&
           same_weights(node, found) && same_parameters(node.name, "scale", a.scale, b.scale) &&
           same_parameters(node.name, "bias", a.bias, b.bias);
  }

  bool same_weights(const PackedNode& node, const PackedNode& found) {
    const format::PackedWeights& a = node.weights;
    const format::PackedWeights& b = found.weights;
    if (!same(node.name, "bytes of weights", {}, std::ssize(a.bytes), std::ssize(b.bytes)))
      return false;
    const std::size_t count = weights_of(node);
    const bool is_same =
        a.bits == 0 ? same_fp32_weights(node, a, b) : same_codes(node, a, b, count);
    if (!is_same) return false;
    report_.parameters += static_cast<std::int64_t>(count);
    return true;
  }

  /// The sizes were validated: as many input channels as the bytes have room for.
  std::size_t weights_of(const PackedNode& node) const {
    const auto& value = values_[static_cast<std::size_t>(node.inputs[0])];
    const graph::Extent& kernel = node.window.kernel;
    return static_cast<std::size_t>(node.shape.channels * kernel.height * kernel.width *
                                    (value.shape.channels / node.window.groups));
  }

  Position weight_position(const PackedNode& node, std::size_t index) const {
    const graph::Extent& kernel = node.window.kernel;
    const std::int64_t in = static_cast<std::int64_t>(weights_of(node)) /
                            (node.shape.channels * kernel.height * kernel.width);
    auto rest = static_cast<std::int64_t>(index);
    const auto next = [&rest](std::int64_t size) {
      return std::exchange(rest, rest / size) % size;
    };
    const std::int64_t channel = next(in);
    const std::int64_t column = next(kernel.width);
    const std::int64_t row = next(kernel.height);
    return {{"output channel", rest},
            {"input channel", channel},
            {"kernel row", row},
            {"kernel column", column}};
  }

  bool same_codes(const PackedNode& node, const format::PackedWeights& a,
                  const format::PackedWeights& b, std::size_t count) {
    std::vector<std::uint8_t> expected(count);
    std::vector<std::uint8_t> found(count);
    format::unpack_codes(a.bytes, a.bits, expected);
    format::unpack_codes(b.bytes, b.bits, found);
    for (std::size_t i = 0; i < count; ++i)
      if (!same(node.name, "weight code", weight_position(node, i), std::int64_t{expected[i]},
                std::int64_t{found[i]}))
        return false;
    return true;
  }

  bool same_fp32_weights(const PackedNode& node, const format::PackedWeights& a,
                         const format::PackedWeights& b) {
    for (std::size_t i = 0; i < a.bytes.size() / sizeof(float); ++i) {
      float expected = 0.0f;
      float found = 0.0f;
      std::memcpy(&expected, a.bytes.data() + i * sizeof(float), sizeof(float));
      std::memcpy(&found, b.bytes.data() + i * sizeof(float), sizeof(float));
      if (!same(node.name, "weight", weight_position(node, i), expected, found)) return false;
    }
    return true;
  }

  bool same_output(const std::string& layer, const PackedOutput& a, const PackedOutput& b) {
    if (!same(layer, "number of stages", {}, std::ssize(a.stages), std::ssize(b.stages)))
      return false;
    for (std::size_t i = 0; i < a.stages.size(); ++i) {
      const Stage& expected = a.stages[i];
      const Stage& found = b.stages[i];
      if (!same(layer, "stage", {{"stage", static_cast<std::int64_t>(i)}}, expected.kind,
                found.kind) ||
          !same_parameters(layer, "stage scale", expected.scale, found.scale) ||
          !same_parameters(layer, "stage bias", expected.bias, found.bias))
        return false;
    }
    // The encoding is its reader's: the checkpoint keeps it there.
    const std::string reader = reader_of(value_, layer);
    if (!same(reader, "activation bits", {}, std::int64_t{a.encoding.bits},
              std::int64_t{b.encoding.bits}))
      return false;
    if (!a.encoding.is_codes()) return true;
    if (!same(reader, "activation grid", {}, a.encoding.grid, b.encoding.grid) ||
        !same(reader, "activation step", {}, a.encoding.step, b.encoding.step))
      return false;
    ++report_.parameters;
    return true;
  }

  std::string reader_of(int value, const std::string& producer) const {
    const auto reader = std::ranges::find_if(expected_.nodes, [value](const PackedNode& node) {
      return std::ranges::find(node.inputs, value) != node.inputs.end();
    });
    return reader == expected_.nodes.end() ? producer : reader->name;
  }

  const PackedModel& expected_;
  const PackedModel& model_;
  Report& report_;
  std::vector<format::PackedValue> values_ = format::values_of(expected_);
  int value_ = 0;  ///< number of the next output
};

}  // namespace

void compare_models(const PackedModel& expected, const PackedModel& model, Report& report) {
  Comparison(expected, model, report).run();
}

}  // namespace uniq::verify
