#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "uniq/base/text.h"
#include "uniq/cli/commands.h"
#include "uniq/cli/console.h"
#include "uniq/cli/exit_code.h"
#include "uniq/cli/json_text.h"
#include "uniq/cli/network_text.h"
#include "uniq/cli/packed_facts.h"
#include "uniq/cli/table.h"
#include "uniq/cli/text.h"
#include "uniq/format/packed_file.h"
#include "uniq/format/packed_header.h"

namespace uniq::cli {
namespace {

using Json = nlohmann::ordered_json;
using format::PackedModel;
using format::PackedNode;
using format::PackedOp;
using format::PackedOutput;
using format::Stage;

/// A file that was read, and so is whole: its checksum is the one that it says.
struct Inspected {
  std::string file;
  PackedModel model;
  format::PackedSizes sizes;
  std::uint32_t checksum = 0;
};

Inspected read(const InputFile& file) {
  Inspected read{.file = file.name, .model = packed_in(file), .sizes = {}};
  read.sizes = format::packed_sizes(read.model);
  read.checksum = format::stored_packed_checksum(std::as_bytes(std::span(file.start)));
  return read;
}

std::string hex(std::uint32_t value) {
  std::array<char, 16> buffer;
  std::snprintf(buffer.data(), buffer.size(), "0x%08x", value);
  return buffer.data();
}

std::string stage_name(Stage::Kind kind) {
  switch (kind) {
    case Stage::Kind::relu:
      return "relu";
    case Stage::Kind::relu6:
      return "relu6";
    case Stage::Kind::affine:
      break;
  }
  return "affine";
}

std::vector<std::string> stage_names(const PackedOutput& output) {
  std::vector<std::string> names;
  for (const Stage& stage : output.stages) names.push_back(stage_name(stage.kind));
  return names;
}

bool has_window(const PackedNode& node) {
  return node.op == PackedOp::conv || node.op == PackedOp::max_pool ||
         node.op == PackedOp::avg_pool;
}

/// "3, stride 2, padding 1": what is not as usual.
std::string window_text(const PackedNode& node) {
  if (!has_window(node)) return "";
  const format::Window& window = node.window;
  std::string text = graph::to_string(window.kernel);
  if (window.stride != graph::Extent(1)) text += ", stride " + graph::to_string(window.stride);
  if (window.padding != graph::Extent(0)) text += ", padding " + graph::to_string(window.padding);
  if (window.dilation != graph::Extent(1))
    text += ", dilation " + graph::to_string(window.dilation);
  if (window.groups != 1) text += ", groups " + std::to_string(window.groups);
  return text;
}

std::string encoding_text(int bits, Grid grid) {
  return bits == 0 ? "fp32" : std::to_string(bits) + " bit " + std::string(grid_name(grid));
}

/// What stands where the window lies outside the picture.
std::string outside_text(const PackedNode& node) {
  if (node.op != PackedOp::conv || node.window.padding == graph::Extent(0)) return "";
  if (node.weights.pad_code == format::kLeaveOut) return "left out";
  return "code " + std::to_string(node.weights.pad_code);
}

std::string range_of(std::span<const float> numbers) {
  if (numbers.empty()) return "";
  const auto [smallest, largest] = std::ranges::minmax(numbers);
  return range_text(smallest, largest);
}

std::string numbers_text(const std::vector<int>& numbers) {
  std::vector<std::string> texts;
  texts.reserve(numbers.size());
  for (const int number : numbers) texts.push_back(std::to_string(number));
  return join(texts);
}

/// A row for each output; what the node itself is stands in its first.
std::string node_table(const PackedModel& model) {
  Table table({{"node"},
               {"type"},
               {"reads"},
               {"window"},
               {"weights"},
               {"outside"},
               {"scale"},
               {"bias"},
               {"gives"},
               {"shape"},
               {"as"},
               {"step"},
               {"through"}});
  int value = 0;
  for (const PackedNode& node : model.nodes) {
    std::vector<std::string> first = {printable(node.name),
                                      std::string(format::packed_op_name(node.op)),
                                      numbers_text(node.inputs),
                                      window_text(node),
                                      "",
                                      outside_text(node),
                                      range_of(node.weights.scale),
                                      range_of(node.weights.bias)};
    if (node.op == PackedOp::conv) first[4] = encoding_text(node.weights.bits, node.weights.grid);
    for (const PackedOutput& output : node.outputs) {
      std::vector<std::string> row = first;
      row.insert(row.end(), {std::to_string(value++), graph::to_string(node.shape),
                             encoding_text(output.encoding.bits, output.encoding.grid),
                             output.encoding.is_codes() ? significant(output.encoding.step) : "",
                             join(stage_names(output))});
      table.add(std::move(row));
      first.assign(first.size(), "");
    }
  }
  return table.text();
}

std::string network_text(const PackedModel& model) {
  std::int64_t macs = 0;
  for (const PackedCost& cost : packed_costs(model)) macs += cost.macs;
  const std::vector<format::PackedValue> values = format::values_of(model);
  return graph::to_string(model.nodes.front().shape) + " -> " +
         graph::to_string(values[static_cast<std::size_t>(model.output)].shape) + " (value " +
         std::to_string(model.output) + "), " + std::to_string(model.nodes.size()) + " nodes, " +
         grouped(macs) + " MACs";
}

std::string result_text(const Inspected& inspected) {
  const auto size = [](std::size_t bytes) { return grouped(static_cast<std::int64_t>(bytes)); };
  Table table = facts();
  table.add({"file", printable(inspected.file)});
  table.add({"format",
             "packed model, version " + std::to_string(format::packed_version(inspected.model))});
  table.add({"size", size(inspected.sizes.total) + " bytes, " + size(inspected.sizes.metadata) +
                         " of them metadata"});
  table.add({"checksum", hex(inspected.checksum) + ", as the header says"});
  table.add({"network", network_text(inspected.model)});
  table.add({"pictures", preprocessing_text(inspected.model.preprocessing)});
  table.add({"classes", classes_text(inspected.model.classes)});
  return table.text() + "\n" + node_table(inspected.model);
}

Json extent_json(const graph::Extent& extent) { return {extent.height, extent.width}; }

Json window_json(const format::Window& window) {
  return {{"kernel", extent_json(window.kernel)},
          {"stride", extent_json(window.stride)},
          {"padding", extent_json(window.padding)},
          {"dilation", extent_json(window.dilation)},
          {"groups", window.groups}};
}

Json weights_json(const format::PackedWeights& weights) {
  const auto scale = std::ranges::minmax(weights.scale);
  const auto bias = std::ranges::minmax(weights.bias);
  Json json = {{"bits", bits_number(weights.bits)}};
  if (weights.bits != 0) json["grid"] = grid_name(weights.grid);
  json["pad_code"] = weights.pad_code == format::kLeaveOut ? Json(nullptr) : Json(weights.pad_code);
  json["bytes"] = weights.bytes.size();
  json["smallest_scale"] = scale.min;
  json["largest_scale"] = scale.max;
  json["smallest_bias"] = bias.min;
  json["largest_bias"] = bias.max;
  return json;
}

Json output_json(const PackedOutput& output, int value) {
  Json json = {{"value", value}, {"bits", bits_number(output.encoding.bits)}};
  if (output.encoding.is_codes()) {
    json["grid"] = grid_name(output.encoding.grid);
    json["step"] = output.encoding.step;
  }
  json["stages"] = stage_names(output);
  return json;
}

Json nodes_json(const PackedModel& model) {
  Json nodes = Json::array();
  int value = 0;
  for (const PackedNode& node : model.nodes) {
    Json json = {{"name", node.name},
                 {"type", format::packed_op_name(node.op)},
                 {"inputs", node.inputs},
                 {"shape", graph::to_string(node.shape)}};
    if (has_window(node)) json["window"] = window_json(node.window);
    if (node.op == PackedOp::conv) json["weights"] = weights_json(node.weights);
    json["outputs"] = Json::array();
    for (const PackedOutput& output : node.outputs)
      json["outputs"].push_back(output_json(output, value++));
    nodes.push_back(std::move(json));
  }
  return nodes;
}

Json result_json(const Inspected& inspected) {
  return {{"file", inspected.file},
          {"format", "uniq"},
          {"version", format::packed_version(inspected.model)},
          {"bytes", inspected.sizes.total},
          {"metadata_bytes", inspected.sizes.metadata},
          {"checksum", hex(inspected.checksum)},
          {"preprocessing", Json::parse(data::to_json(inspected.model.preprocessing))},
          {"classes", inspected.model.classes},
          {"output", inspected.model.output},
          {"nodes", nodes_json(inspected.model)}};
}

}  // namespace

int inspect_packed(const InputFile& file, bool json) {
  const Inspected inspected = read(file);
  print(json ? json_text(result_json(inspected)) : result_text(inspected));
  return kSuccess;
}

}  // namespace uniq::cli
