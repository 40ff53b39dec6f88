#include "uniq/graph/summary.h"

#include <string>
#include <vector>

#include "uniq/base/error.h"
#include "uniq/base/escape.h"
#include "uniq/cli/commands.h"
#include "uniq/cli/console.h"
#include "uniq/cli/exit_code.h"
#include "uniq/cli/file_kind.h"
#include "uniq/cli/text.h"
#include "uniq/data/dataset.h"
#include "uniq/format/checkpoint.h"
#include "uniq/graph/text.h"
#include "uniq/pack/pack.h"
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

graph::Summary of_recipe(const InputFile& file, const std::vector<std::string>& settings) {
  const recipe::Recipe recipe = recipe::read_recipe(file.contents, file.path, settings);
  const recipe::Network network = recipe::network_of(recipe);
  if (!network.pictures.found) report_usual_pictures(recipe, network);
  pack::check_can_pack({.graph = network.graph,
                        .bit_plan = network.plan,
                        .preprocessing = network.preprocessing,
                        .classes = data::class_names(recipe.data.name, recipe.data.root),
                        .training = {}});
  return graph::summarize(network.graph, network.plan);
}

graph::Summary of_checkpoint(const InputFile& file) {
  const format::CheckpointInfo info = format::read_checkpoint_info(safetensors_in(file));
  return graph::summarize(info.graph, info.bit_plan);
}

/// Nothing is quantized in a network that no recipe speaks of.
graph::Summary of_graph(const InputFile& file) {
  const graph::Graph graph = graph::parse_graph(file.contents, file.name);
  const graph::BitPlan plan = graph::make_bit_plan(graph, {});
  pack::check_can_pack(graph, plan);
  return graph::summarize(graph, plan);
}

graph::Summary summary_of(const InputFile& file, const SummaryOptions& options) {
  if (file.kind == FileKind::text) return of_recipe(file, options.settings);
  return file.kind == FileKind::graph ? of_graph(file) : of_checkpoint(file);
}

}  // namespace

int summary(const SummaryOptions& options) {
  const InputFile file = read_input_file(options.file);
  if (file.kind != FileKind::text && !options.settings.empty()) {
    throw UsageError(ErrorText{"only a recipe can be changed by --set", file.name,
                               options.settings.front(), "", "a recipe that names this network"});
  }
  if (file.kind == FileKind::packed) return summary_packed(file, options.json);
  const graph::Summary summary = summary_of(file, options);
  print(options.json ? escaped_json(graph::to_json(summary)) + "\n" : graph::to_table(summary));
  return kSuccess;
}

}  // namespace uniq::cli
