#include "uniq/pack/pack.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>

#include "uniq/base/error.h"
#include "uniq/base/text.h"
#include "uniq/cli/commands.h"
#include "uniq/cli/console.h"
#include "uniq/cli/exit_code.h"
#include "uniq/cli/file_kind.h"
#include "uniq/cli/json_text.h"
#include "uniq/cli/packed_facts.h"
#include "uniq/cli/random_request.h"
#include "uniq/cli/table.h"
#include "uniq/cli/text.h"
#include "uniq/format/packed_file.h"
#include "uniq/graph/summary.h"

namespace uniq::cli {
namespace {

using Json = nlohmann::ordered_json;
using format::PackedModel;
using format::PackedSizes;

/// A file written, and what it stands for.
struct Written {
  std::string file;
  PackedModel model;
  PackedSizes sizes;
  std::int64_t fp32_bytes = 0;  ///< of the network before
};

void check_files(const PackOptions& options, const InputFile& checkpoint) {
  if (checkpoint.kind != FileKind::safetensors) {
    throw Error(ErrorText{"the file is no checkpoint", checkpoint.name, "",
                          "a file that `uniqnn train` wrote", ""});
  }
  std::error_code missing;
  if (std::filesystem::equivalent(options.checkpoint, options.output, missing)) {
    throw UsageError(ErrorText{"the output would replace the checkpoint", options.output, "",
                               "another file", "--output model.uniq"});
  }
}

std::string bytes_text(std::size_t bytes) { return grouped(static_cast<std::int64_t>(bytes)); }

/// Padding that stands in front of no node's weights: behind the metadata.
std::size_t metadata_padding(const PackedSizes& sizes) {
  std::size_t padding = sizes.padding;
  for (const PackedSizes::Node& node : sizes.nodes) padding -= node.padding;
  return padding;
}

double times_smaller(const Written& written) {
  return static_cast<double>(written.fp32_bytes) / static_cast<double>(written.sizes.total);
}

/// Every byte of the file stands in exactly one row; nodes without any have none.
std::string bytes_table(const Written& written) {
  constexpr auto kRight = Table::Align::right;
  Table table({{"node"},
               {"weights", kRight},
               {"bits", kRight},
               {"codes", kRight},
               {"parameters", kRight},
               {"padding", kRight},
               {"bytes", kRight}});
  const std::vector<PackedCost> costs = packed_costs(written.model);
  const PackedSizes& sizes = written.sizes;
  PackedSizes::Node sum;
  std::int64_t weights = 0;
  for (std::size_t i = 0; i < sizes.nodes.size(); ++i) {
    const PackedSizes::Node& own = sizes.nodes[i];
    const std::size_t bytes = own.codes + own.parameters + own.padding;
    if (bytes == 0) continue;
    const bool has_weights = costs[i].weights > 0;
    table.add({printable(own.name), has_weights ? grouped(costs[i].weights) : "",
               has_weights ? bits_text(written.model.nodes[i].weights.bits) : "",
               bytes_text(own.codes), bytes_text(own.parameters), bytes_text(own.padding),
               bytes_text(bytes)});
    sum.codes += own.codes;
    sum.parameters += own.parameters;
    weights += costs[i].weights;
  }
  table.add({"header", "", "", "", "", "", bytes_text(sizes.header)});
  table.add({"metadata", "", "", "", "", bytes_text(metadata_padding(sizes)),
             bytes_text(sizes.metadata + metadata_padding(sizes))});
  table.add({"total", grouped(weights), "", bytes_text(sum.codes), bytes_text(sum.parameters),
             bytes_text(sizes.padding), bytes_text(sizes.total)});
  return table.text();
}

std::string result_text(const Written& written) {
  return bytes_table(written) + printable(written.file) + ": " +
         human_bytes(static_cast<double>(written.sizes.total)) + " instead of " +
         human_bytes(static_cast<double>(written.fp32_bytes)) + " in fp32, " +
         fixed(times_smaller(written), 2) + " times smaller\n";
}

Json result_json(const Written& written) {
  const std::vector<PackedCost> costs = packed_costs(written.model);
  const PackedSizes& sizes = written.sizes;
  Json nodes = Json::array();
  for (std::size_t i = 0; i < sizes.nodes.size(); ++i) {
    const PackedSizes::Node& own = sizes.nodes[i];
    const format::PackedNode& node = written.model.nodes[i];
    Json json = {{"name", own.name}, {"type", format::packed_op_name(node.op)}};
    if (node.op == format::PackedOp::conv) {
      json["weights"] = costs[i].weights;
      json["weight_bits"] = bits_number(node.weights.bits);
    }
    json["code_bytes"] = own.codes;
    json["parameter_bytes"] = own.parameters;
    json["padding_bytes"] = own.padding;
    nodes.push_back(std::move(json));
  }
  return {{"file", written.file},
          {"bytes", sizes.total},
          {"fp32_bytes", written.fp32_bytes},
          {"compression", times_smaller(written)},
          {"header_bytes", sizes.header},
          {"metadata_bytes", sizes.metadata},
          {"metadata_padding_bytes", metadata_padding(sizes)},
          {"padding_bytes", sizes.padding},
          {"nodes", std::move(nodes)}};
}

int write(const PackOptions& options, const format::CheckpointInfo& info,
          const pack::TensorSource& tensors) {
  Written written{.file = options.output,
                  .model = pack::pack(info, tensors).model,
                  .sizes = {},
                  .fp32_bytes = graph::summarize(info.graph, info.bit_plan).fp32_bytes};
  const bool is_piped = is_standard_output(options.output);
  written.sizes = format::write_packed(options.output, written.model);
  const std::string text = options.json ? json_text(result_json(written)) : result_text(written);
  is_piped ? print_error(text) : print(text);
  return kSuccess;
}

}  // namespace

int pack(const PackOptions& options) {
  if (!options.random.empty()) {
    const pack::RandomNetwork network = random_network(options);
    return write(options, network.info, pack::tensors_of(network));
  }
  const InputFile checkpoint = read_input_file(options.checkpoint);
  check_files(options, checkpoint);
  const format::Safetensors file = safetensors_in(checkpoint);
  return write(options, format::read_checkpoint_info(file), pack::tensors_of(file));
}

}  // namespace uniq::cli
