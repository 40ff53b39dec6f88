#include "uniq/recipe/network.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "uniq/base/error.h"
#include "uniq/models/models.h"

namespace uniq::recipe {
namespace {

data::Preprocessing preprocessing_for(const Data& options, const data::DatasetGeometry& pictures) {
  const data::DatasetDefaults usual = data::dataset_defaults(options.name);
  data::Preprocessing p;
  p.channels = pictures.channels;
  p.height = pictures.height;
  p.width = pictures.width;
  p.mean = options.mean.empty() ? usual.mean : options.mean;
  p.deviation = options.deviation.empty() ? usual.deviation : options.deviation;
  return p;
}

void check_can_learn(const graph::Graph& graph, const std::string& name) {
  const bool can = std::ranges::any_of(graph.nodes(), [](const graph::Node& node) {
    return graph::is_layer(node) || std::holds_alternative<graph::BatchNorm>(node.op);
  });
  if (can) return;
  throw UsageError({.what = "the network has nothing to learn",
                    .where = name,
                    .expected = "a convolution, linear layer or batch norm"});
}

}  // namespace

Network network_of(const Recipe& recipe) {
  return network_of(recipe, data::look_at_dataset(recipe.data.name, recipe.data.root));
}

Network network_of(const Recipe& recipe, const data::DatasetGeometry& pictures) {
  graph::Graph graph = models::load_model(recipe.model.name, {.channels = pictures.channels,
                                                              .height = pictures.height,
                                                              .width = pictures.width,
                                                              .classes = pictures.classes});
  check_can_learn(graph, recipe.model.name);
  graph::BitPlan plan = graph::make_bit_plan(graph, recipe.quantize.bits);
  return {std::move(graph), std::move(plan), pictures, preprocessing_for(recipe.data, pictures)};
}

}  // namespace uniq::recipe
