#include "uniq/graph/summary.h"

#include <string>

#include "uniq/base/error.h"
#include "uniq/base/file.h"
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

graph::Summary of_recipe(const SummaryOptions& options) {
  const recipe::Recipe recipe = recipe::read_recipe(options.file, options.settings);
  const data::DatasetGeometry pictures = data::dataset_geometry(recipe.data.name);
  const graph::Graph graph = models::load_model(recipe.model.name, {.channels = pictures.channels,
                                                                    .height = pictures.height,
                                                                    .width = pictures.width,
                                                                    .classes = pictures.classes});
  const graph::BitPlan plan = graph::make_bit_plan(graph, recipe.quantize.bits);
  pack::check_can_pack(graph, plan, data::class_names(recipe.data.name, recipe.data.root));
  return graph::summarize(graph, plan);
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
  const graph::BitPlan plan = graph::make_bit_plan(graph, {});
  pack::check_can_pack(graph, plan);
  return graph::summarize(graph, plan);
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
