#include "tests/format/describe_model.h"

#include <cstdio>
#include <span>

namespace uniq::testing {
namespace {

using format::PackedModel;
using format::PackedNode;
using format::Stage;

std::string exact(float number) {
  char text[32];
  std::snprintf(text, sizeof text, "%a", static_cast<double>(number));
  return text;
}

std::string numbers(std::span<const float> values) {
  std::string text;
  for (const float value : values) text += " " + exact(value);
  return text;
}

std::string bytes(std::span<const std::byte> values) {
  constexpr std::size_t kPerLine = 40;
  std::string text;
  for (std::size_t i = 0; i < values.size(); ++i) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", std::to_integer<unsigned>(values[i]));
    if (i % kPerLine == 0) text += "\n    ";
    text += digits;
  }
  return text;
}

std::string grid_text(int bits, Grid grid) {
  if (bits == 0) return "fp32";
  return std::to_string(bits) + " bits " + std::string(grid_name(grid));
}

std::string stage_text(const Stage& stage) {
  if (stage.kind == Stage::Kind::relu) return "    relu\n";
  if (stage.kind == Stage::Kind::relu6) return "    relu6\n";
  return "    affine scale" + numbers(stage.scale) + "\n    affine bias" + numbers(stage.bias) +
         "\n";
}

std::string describe_node(const PackedNode& node) {
  std::string text = node.name + ": " + std::string(packed_op_name(node.op)) + " of";
  for (const int input : node.inputs) text += " " + std::to_string(input);
  const format::Window& w = node.window;
  text += "\n  shape " + to_string(node.shape) + "\n  window kernel " + to_string(w.kernel) +
          " stride " + to_string(w.stride) + " padding " + to_string(w.padding) + " dilation " +
          to_string(w.dilation) + " groups " + std::to_string(w.groups) + "\n";
  if (node.op == format::PackedOp::conv) {
    text += "  weights " + grid_text(node.weights.bits, node.weights.grid) + " pad_code " +
            std::to_string(node.weights.pad_code) + bytes(node.weights.bytes) + "\n";
    text +=
        "  scale" + numbers(node.weights.scale) + "\n  bias" + numbers(node.weights.bias) + "\n";
  }
  for (const format::PackedOutput& output : node.outputs) {
    const format::Encoding& e = output.encoding;
    text += "  output " + grid_text(e.bits, e.grid);
    if (e.is_codes()) text += " step " + exact(e.step);
    text += "\n";
    for (const Stage& stage : output.stages) text += stage_text(stage);
  }
  return text;
}

}  // namespace

std::string describe(const PackedModel& model) {
  const data::Preprocessing& p = model.preprocessing;
  std::string text = "picture " + std::to_string(p.channels) + "x" + std::to_string(p.height) +
                     "x" + std::to_string(p.width) + " resize " + p.resize + "\n  mean" +
                     numbers(p.mean) + "\n  deviation" + numbers(p.deviation) + "\nclasses";
  for (const std::string& name : model.classes) text += " " + name;
  text += "\noutput " + std::to_string(model.output) + "\n";
  for (const PackedNode& node : model.nodes) text += describe_node(node);
  return text;
}

}  // namespace uniq::testing
