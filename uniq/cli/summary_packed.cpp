#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "uniq/base/text.h"
#include "uniq/cli/commands.h"
#include "uniq/cli/console.h"
#include "uniq/cli/exit_code.h"
#include "uniq/cli/json_text.h"
#include "uniq/cli/packed_facts.h"
#include "uniq/cli/table.h"
#include "uniq/cli/text.h"
#include "uniq/format/packed_file.h"
#include "uniq/kernels/isa.h"
#include "uniq/runtime/network.h"

namespace uniq::cli {
namespace {

using Json = nlohmann::ordered_json;
using format::PackedNode;

/// One node, and what it costs.
struct Row {
  const PackedNode* node = nullptr;
  graph::Shape in;         ///< of its first input; of the picture itself
  format::Encoding input;  ///< of its first input
  std::string kernel;
  PackedCost cost;
  std::size_t bytes = 0;  ///< codes, parameters and padding
};

struct Described {
  std::vector<Row> rows;
  std::size_t total_bytes = 0;
  std::int64_t macs = 0;
  std::int64_t quantized_macs = 0;
  std::string isa;
};

Described describe(const runtime::Network& network) {
  const format::PackedModel& model = network.model();
  const std::vector<format::PackedValue> values = format::values_of(model);
  const std::vector<PackedCost> costs = packed_costs(model);
  format::PackedSizes sizes;
  format::to_bytes(model, &sizes);
  Described described{
      .rows = {}, .total_bytes = sizes.total, .isa = std::string(kernels::isa_name(network.isa()))};
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    const PackedNode& node = model.nodes[i];
    Row row{.node = &node,
            .in = node.shape,
            .input = {},
            .kernel = network.steps()[i].kernel(),
            .cost = costs[i],
            .bytes = sizes.nodes[i].codes + sizes.nodes[i].parameters + sizes.nodes[i].padding};
    if (!node.inputs.empty()) {
      const format::PackedValue& value = values[static_cast<std::size_t>(node.inputs[0])];
      row.in = value.shape;
      row.input = value.encoding;
    }
    described.macs += row.cost.macs;
    if (node.weights.bits != 0) described.quantized_macs += row.cost.macs;
    described.rows.push_back(std::move(row));
  }
  return described;
}

double quantized_share(const Described& described) {
  if (described.macs == 0) return 0.0;
  return static_cast<double>(described.quantized_macs) / static_cast<double>(described.macs);
}

bool is_conv(const Row& row) { return row.node->op == format::PackedOp::conv; }

/// "2/2" of a convolution of codes.
std::string bits_of(const Row& row) {
  if (!is_conv(row)) return "-";
  if (row.node->weights.bits == 0) return "fp32";
  return bits_text(row.node->weights.bits) + "/" + bits_text(row.input.bits);
}

std::string grids_of(const Row& row) {
  if (!is_conv(row) || row.node->weights.bits == 0) return "-";
  return std::string(grid_name(row.node->weights.grid)) + "/" +
         std::string(grid_name(row.input.grid));
}

std::string result_text(const Described& described) {
  constexpr auto kRight = Table::Align::right;
  Table table({{"layer"},
               {"type"},
               {"output"},
               {"bits w/a"},
               {"grids w/a"},
               {"kernel"},
               {"weights", kRight},
               {"MACs", kRight},
               {"size", kRight}});
  std::int64_t weights = 0;
  std::size_t rest = described.total_bytes;
  for (const Row& row : described.rows) {
    table.add({printable(row.node->name), std::string(format::packed_op_name(row.node->op)),
               graph::to_string(row.node->shape), bits_of(row), grids_of(row), row.kernel,
               grouped(row.cost.weights), grouped(row.cost.macs), size_text(row.bytes)});
    weights += row.cost.weights;
    rest -= row.bytes;
  }
  table.add({"header, metadata", "", "", "", "", "", "", "", size_text(rest)});
  table.add({"total", "", "", "", "", "", grouped(weights), grouped(described.macs),
             size_text(described.total_bytes)});
  return table.text() + "Kernels for " + described.isa + "; " +
         fixed(100.0 * quantized_share(described), 1) +
         " % of the multiply-accumulates are quantized.\n";
}

Json result_json(const Described& described) {
  Json layers = Json::array();
  for (const Row& row : described.rows) {
    Json json = {{"name", row.node->name},
                 {"type", format::packed_op_name(row.node->op)},
                 {"input_shape", graph::to_string(row.in)},
                 {"output_shape", graph::to_string(row.node->shape)},
                 {"kernel", row.kernel}};
    if (is_conv(row)) {
      json["weight_bits"] = bits_number(row.node->weights.bits);
      json["activation_bits"] = bits_number(row.input.bits);
    }
    if (is_conv(row) && row.node->weights.bits != 0) {
      json["weight_grid"] = grid_name(row.node->weights.grid);
      json["activation_grid"] = grid_name(row.input.grid);
    }
    json["weights"] = row.cost.weights;
    json["macs"] = row.cost.macs;
    json["bytes"] = row.bytes;
    layers.push_back(std::move(json));
  }
  return {{"layers", std::move(layers)},
          {"isa", described.isa},
          {"macs", described.macs},
          {"quantized_macs", described.quantized_macs},
          {"quantized_share", quantized_share(described)},
          {"bytes", described.total_bytes}};
}

}  // namespace

int summary_packed(const InputFile& file, bool json) {
  const runtime::Network network(packed_in(file), {.keep_weights = true});
  const Described described = describe(network);
  print(json ? json_text(result_json(described)) : result_text(described));
  return kSuccess;
}

}  // namespace uniq::cli
