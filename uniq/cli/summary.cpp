#include "uniq/graph/summary.h"

#include <string>
#include <vector>

#include "uniq/base/error.h"
#include "uniq/base/escape.h"
#include "uniq/cli/commands.h"
#include "uniq/cli/console.h"
#include "uniq/cli/exit_code.h"
#include "uniq/cli/file_kind.h"
#include "uniq/data/dataset.h"
#include "uniq/format/checkpoint.h"
#include "uniq/graph/text.h"
#include "uniq/models/models.h"
#include "uniq/pack/pack.h"
#include "uniq/recipe/recipe.h"

namespace uniq::cli {
namespace {

graph::Summary of_recipe(const InputFile& file, const std::vector<std::string>& settings) {
  const recipe::Recipe recipe = recipe::read_recipe(file.contents, file.path, settings);
  const data::DatasetGeometry pictures = data::dataset_geometry(recipe.data.name);
  const graph::Graph graph = models::load_model(recipe.model.name, {.channels = pictures.channels,
                                                                    .height = pictures.height,
                                                                    .width = pictures.width,
                                                                    .classes = pictures.classes});
  const graph::BitPlan plan = graph::make_bit_plan(graph, recipe.quantize.bits);
  pack::check_can_pack(graph, plan, data::class_names(recipe.data.name, recipe.data.root));
  return graph::summarize(graph, plan);
}

graph::Summary of_checkpoint(const InputFile& file) {
  const format::CheckpointInfo info =
      format::read_checkpoint_info(format::Safetensors(file.bytes(), file.name));
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
