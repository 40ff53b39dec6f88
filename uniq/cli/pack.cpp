#include "uniq/pack/pack.h"

#include <nlohmann/json.hpp>
#include <string>

#include "uniq/base/text.h"
#include "uniq/cli/commands.h"
#include "uniq/cli/console.h"
#include "uniq/cli/exit_code.h"
#include "uniq/cli/table.h"
#include "uniq/cli/text.h"
#include "uniq/format/checkpoint.h"
#include "uniq/format/packed_file.h"
#include "uniq/graph/summary.h"

namespace uniq::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string count_text(std::size_t bytes) { return grouped(static_cast<std::int64_t>(bytes)); }

/// Every byte of the file in one of the rows, and the rows' sum.
std::string byte_table(const format::PackedSizes& sizes) {
  constexpr auto kRight = Table::Align::right;
  Table table({{"node"},
               {"codes", kRight},
               {"parameters", kRight},
               {"padding", kRight},
               {"bytes", kRight}});
  std::size_t codes = 0, parameters = 0, padding = 0;
  for (const format::PackedSizes::Node& node : sizes.nodes) {
    codes += node.codes;
    parameters += node.parameters;
    padding += node.padding;
    table.add({printable(node.name), count_text(node.codes), count_text(node.parameters),
               count_text(node.padding), count_text(node.codes + node.parameters + node.padding)});
  }
  table.add({"header", "", "", "", count_text(sizes.header)});
  table.add({"metadata", "", "", "", count_text(sizes.metadata)});
  if (sizes.padding > padding)
    table.add({"between the parts", "", "", count_text(sizes.padding - padding),
               count_text(sizes.padding - padding)});
  table.add({"total", count_text(codes), count_text(parameters), count_text(sizes.padding),
             count_text(sizes.total)});
  return table.text();
}

Json to_json(const std::string& file, const format::PackedSizes& sizes, std::int64_t fp32_bytes) {
  Json nodes = Json::array();
  for (const format::PackedSizes::Node& node : sizes.nodes)
    nodes.push_back({{"name", node.name},
                     {"codes", node.codes},
                     {"parameters", node.parameters},
                     {"padding", node.padding}});
  return {{"file", file},           {"bytes", sizes.total},       {"fp32_bytes", fp32_bytes},
          {"header", sizes.header}, {"metadata", sizes.metadata}, {"padding", sizes.padding},
          {"nodes", nodes}};
}

}  // namespace

int pack(const PackOptions& options) {
  const format::Safetensors file{std::filesystem::path(options.checkpoint)};
  const format::CheckpointInfo info = format::read_checkpoint_info(file);
  const pack::Packed packed = pack::pack(info, pack::tensors_of(file));
  const format::PackedSizes sizes = format::write_packed(options.output, packed.model);
  const std::int64_t fp32_bytes = graph::summarize(info.graph, info.bit_plan).fp32_bytes;
  if (options.json) {
    print(to_json(options.output, sizes, fp32_bytes)
              .dump(2, ' ', false, Json::error_handler_t::replace) +
          "\n");
    return kSuccess;
  }
  print(byte_table(sizes));
  print("\n" + printable(options.output) + ": " + human_bytes(static_cast<double>(sizes.total)) +
        ", " + fixed(static_cast<double>(fp32_bytes) / static_cast<double>(sizes.total), 1) +
        " times smaller than the fp32 parameters (" + human_bytes(static_cast<double>(fp32_bytes)) +
        ")\n");
  return kSuccess;
}

}  // namespace uniq::cli
