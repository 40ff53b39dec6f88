#include "uniq/recipe/network.h"

#include <utility>

#include "uniq/models/models.h"

namespace uniq::recipe {

Network network_of(const Recipe& recipe) {
  const data::DatasetGeometry pictures = data::look_at_dataset(recipe.data.name, recipe.data.root);
  graph::Graph graph = models::load_model(recipe.model.name, {.channels = pictures.channels,
                                                              .height = pictures.height,
                                                              .width = pictures.width,
                                                              .classes = pictures.classes});
  graph::BitPlan plan = graph::make_bit_plan(graph, recipe.quantize.bits);
  return {std::move(graph), std::move(plan), pictures};
}

}  // namespace uniq::recipe
