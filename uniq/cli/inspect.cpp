#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "uniq/base/text.h"
#include "uniq/cli/commands.h"
#include "uniq/cli/console.h"
#include "uniq/cli/exit_code.h"
#include "uniq/cli/file_kind.h"
#include "uniq/cli/json_text.h"
#include "uniq/cli/layer_steps.h"
#include "uniq/cli/network_text.h"
#include "uniq/cli/table.h"
#include "uniq/cli/text.h"
#include "uniq/format/checkpoint.h"
#include "uniq/graph/summary.h"

namespace uniq::cli {
namespace {

using Json = nlohmann::ordered_json;
using format::CheckpointInfo;
using format::Safetensors;

std::size_t total_bytes(const Safetensors& file) {
  std::size_t bytes = 0;
  for (const auto& [name, tensor] : file.tensors()) bytes += tensor.bytes.size();
  return bytes;
}

std::string steps_text(const StepRange& steps) { return range_text(steps.smallest, steps.largest); }

std::string network_text(const CheckpointInfo& info) {
  const graph::Summary summary = graph::summarize(info.graph, info.bit_plan);
  return graph::to_string(info.graph.node(info.graph.input()).shape) + " -> " +
         graph::to_string(info.graph.node(info.graph.output()).shape) + ", " +
         std::to_string(summary.layers.size()) + " layers, " + grouped(summary.parameters) +
         " parameters, " + grouped(summary.macs) + " MACs, " +
         human_bytes(static_cast<double>(summary.weight_bytes)) +
         " (fp32: " + human_bytes(static_cast<double>(summary.fp32_bytes)) + ")";
}

std::string quantization_text(const graph::BitPlan& plan) {
  if (!plan.quantized()) return "none, fp32";
  std::size_t quantized = 0;
  for (const auto& [name, bits] : plan.layers) quantized += bits.quantized() ? 1 : 0;
  return std::string(graph::method_name(plan.method)) + ", " + std::to_string(quantized) + " of " +
         std::to_string(plan.layers.size()) + " layers";
}

/// Where the run stood when the file was written; as much of it as the file says.
std::string training_text(const Json& training) {
  const Json state = training.value("state", Json::object());
  std::vector<std::string> parts;
  const auto add = [&parts, &state](const char* key, const std::string& text) {
    const auto found = state.find(key);
    if (found != state.end() && found->is_number_integer()) {
      parts.push_back(text + " " + grouped(found->get<std::int64_t>()));
    }
  };
  if (const auto data = training.find("data"); data != training.end() && data->is_string()) {
    parts.push_back("on " + printable(data->get<std::string>()));
  }
  add("epoch", "epochs done");
  add("batch", "batches since");
  add("step", "steps");
  const auto best = state.find("best_epoch");
  const auto top1 = state.find("best_top1");
  if (best == state.end() || !best->is_number_integer() || *best < 0) return join(parts);
  std::string text = "best epoch " + std::to_string(best->get<std::int64_t>() + 1);
  if (top1 != state.end() && top1->is_number() && *top1 >= 0.0) {
    text += " (top-1 " + fixed(top1->get<double>(), 2) + " %)";
  }
  parts.push_back(text);
  return join(parts);
}

Json training_json(const CheckpointInfo& info) {
  const Json training = Json::parse(info.training, nullptr, false);
  return training.is_object() ? training : Json::object();
}

std::string layer_table(const Safetensors& file, const CheckpointInfo& info) {
  Table table({{"layer"}, {"weights"}, {"grid"}, {"step"}, {"activations"}, {"grid"}, {"step"}});
  for (const graph::Node& node : info.graph.nodes()) {
    if (!graph::is_layer(node)) continue;
    const graph::LayerBits& bits = info.bit_plan.at(node.name);
    if (!bits.quantized()) {
      table.add({node.name, "fp32", "", "", "fp32", "", ""});
      continue;
    }
    table.add({node.name, std::to_string(bits.weight_bits) + " bit",
               std::string(grid_name(bits.weight_grid)),
               steps_text(weight_steps(file, info, node.name)),
               std::to_string(bits.activation_bits) + " bit",
               std::string(grid_name(bits.activation_grid)),
               steps_text(activation_steps(file, info, node.name))});
  }
  return table.text();
}

std::string tensor_table(const Safetensors& file) {
  Table table({{"tensor"}, {"type"}, {"shape"}, {"size", Table::Align::right}});
  for (const auto& [name, tensor] : file.tensors()) {
    table.add({printable(name), std::string(format::dtype_name(tensor.dtype)),
               shape_text(tensor.shape), size_text(tensor.bytes.size())});
  }
  return table.text();
}

std::string counts_text(const Safetensors& file) {
  return grouped(static_cast<std::int64_t>(file.tensors().size())) + ", " +
         size_text(total_bytes(file));
}

std::string checkpoint_text(const Safetensors& file, const CheckpointInfo& info) {
  Table table = facts();
  table.add({"file", printable(file.where())});
  table.add({"format", file.metadata().at("format") + " " + file.metadata().at("version")});
  table.add({"network", network_text(info)});
  table.add({"quantization", quantization_text(info.bit_plan)});
  table.add({"pictures", preprocessing_text(info.preprocessing)});
  table.add({"classes", classes_text(info.classes)});
  if (!info.training.empty()) table.add({"training", training_text(training_json(info))});
  table.add({"tensors", counts_text(file)});
  return table.text() + "\n" + layer_table(file, info) + "\n" + tensor_table(file);
}

std::string plain_text(const Safetensors& file) {
  Table table = facts();
  table.add({"file", printable(file.where())});
  table.add({"format", "safetensors, no checkpoint of uniqnn"});
  table.add({"tensors", counts_text(file)});
  for (const auto& [key, value] : file.metadata()) {
    table.add({"metadata " + printable(key), printable(value)});
  }
  return table.text() + "\n" + tensor_table(file);
}

Json tensors_json(const Safetensors& file) {
  Json tensors = Json::array();
  for (const auto& [name, tensor] : file.tensors()) {
    tensors.push_back({{"name", name},
                       {"dtype", format::dtype_name(tensor.dtype)},
                       {"shape", tensor.shape},
                       {"bytes", tensor.bytes.size()}});
  }
  return tensors;
}

Json quantizer_json(int bits, Grid grid, const StepRange& steps) {
  return {{"bits", bits},
          {"grid", grid_name(grid)},
          {"smallest_step", steps.smallest},
          {"largest_step", steps.largest}};
}

Json layers_json(const Safetensors& file, const CheckpointInfo& info) {
  Json layers = Json::array();
  for (const graph::Node& node : info.graph.nodes()) {
    if (!graph::is_layer(node)) continue;
    const graph::LayerBits& bits = info.bit_plan.at(node.name);
    Json layer = {{"name", node.name}, {"quantized", bits.quantized()}};
    if (bits.quantized()) {
      layer["weights"] =
          quantizer_json(bits.weight_bits, bits.weight_grid, weight_steps(file, info, node.name));
      layer["activations"] = quantizer_json(bits.activation_bits, bits.activation_grid,
                                            activation_steps(file, info, node.name));
    }
    layers.push_back(std::move(layer));
  }
  return layers;
}

Json checkpoint_json(const Safetensors& file, const CheckpointInfo& info) {
  const graph::Summary summary = graph::summarize(info.graph, info.bit_plan);
  return {{"file", file.where()},
          {"format", file.metadata().at("format")},
          {"version", file.metadata().at("version")},
          {"method", graph::method_name(info.bit_plan.method)},
          {"parameters", summary.parameters},
          {"macs", summary.macs},
          {"weight_bytes", summary.weight_bytes},
          {"fp32_bytes", summary.fp32_bytes},
          {"preprocessing", Json::parse(data::to_json(info.preprocessing))},
          {"classes", info.classes},
          {"training", training_json(info)},
          {"layers", layers_json(file, info)},
          {"tensors", tensors_json(file)}};
}

Json plain_json(const Safetensors& file) {
  return {{"file", file.where()}, {"metadata", file.metadata()}, {"tensors", tensors_json(file)}};
}

}  // namespace

int inspect(const InspectOptions& options) {
  const InputFile input = read_input_file(options.file);
  if (input.kind == FileKind::packed) return inspect_packed(input, options.json);
  const Safetensors file = safetensors_in(input);
  if (!is_checkpoint(file.metadata())) {
    print(options.json ? json_text(plain_json(file)) : plain_text(file));
    return kSuccess;
  }
  const CheckpointInfo info = format::read_checkpoint_info(file);
  print(options.json ? json_text(checkpoint_json(file, info)) : checkpoint_text(file, info));
  return kSuccess;
}

}  // namespace uniq::cli
