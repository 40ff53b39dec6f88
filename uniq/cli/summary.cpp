#include "uniq/graph/summary.h"

#include <string>

#include "uniq/base/error.h"
#include "uniq/base/file.h"
#include "uniq/cli/commands.h"
#include "uniq/cli/console.h"
#include "uniq/cli/exit_code.h"
#include "uniq/cli/file_kind.h"
#include "uniq/cli/text.h"
#include "uniq/format/checkpoint.h"
#include "uniq/graph/text.h"
#include "uniq/recipe/network.h"

namespace uniq::cli {
namespace {

/// Training would look at the pictures that are there.
void report_usual_pictures(const recipe::Recipe& recipe, const recipe::Network& network) {
  const graph::Shape usual = network.graph.node(network.graph.input()).shape;
  report_warning(
      to_string(ErrorText{.what = "no pictures of " + recipe.data.name + " to look at",
                          .where = recipe.data.root.empty() ? "" : printable(recipe.data.root),
                          .got = "the network for the usual size, " + graph::to_string(usual),
                          .remedy = "the folder of the pictures as data.root"}));
}

graph::Summary of_recipe(const SummaryOptions& options) {
  const recipe::Recipe recipe = recipe::read_recipe(options.file, options.settings);
  const recipe::Network network = recipe::network_of(recipe);
  if (!network.pictures.found) report_usual_pictures(recipe, network);
  return graph::summarize(network.graph, network.plan);
}

graph::Summary of_checkpoint(const std::string& file) {
  const format::CheckpointInfo info =
      format::read_checkpoint_info(format::Safetensors(std::filesystem::path(file)));
  return graph::summarize(info.graph, info.bit_plan);
}

/// Nothing is quantized in a network that no recipe speaks of.
graph::Summary of_graph(const std::string& file) {
  constexpr std::size_t kLargestFile = std::size_t{64} << 20;
  const graph::Graph graph = graph::parse_graph(read_file(file, kLargestFile), file);
  return graph::summarize(graph, graph::make_bit_plan(graph, {}));
}

graph::Summary summary_of(const SummaryOptions& options, FileKind kind) {
  if (kind == FileKind::text) return of_recipe(options);
  return kind == FileKind::graph ? of_graph(options.file) : of_checkpoint(options.file);
}

}  // namespace

int summary(const SummaryOptions& options) {
  const FileKind kind = file_kind(options.file);
  if (kind != FileKind::text && !options.settings.empty()) {
    throw UsageError(ErrorText{"only a recipe can be changed by --set", options.file,
                               options.settings.front(), "", "a recipe that names this network"});
  }
  if (kind == FileKind::packed) return summary_packed(options);
  const graph::Summary summary = summary_of(options, kind);
  print(options.json ? graph::to_json(summary) + "\n" : graph::to_table(summary));
  return kSuccess;
}

}  // namespace uniq::cli
