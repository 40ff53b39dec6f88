#include "uniq/train/batch_norms.h"

#include <string>

#include "uniq/base/error.h"

namespace uniq::train {
namespace {

/// The first batch norm over one value per picture and channel.
const graph::Node* find_norm_of_one_value(const graph::Graph& graph) {
  for (const graph::Node& node : graph.nodes()) {
    if (node.as<graph::BatchNorm>() == nullptr) continue;
    if (node.shape.is_vector() || node.shape.height * node.shape.width == 1) return &node;
  }
  return nullptr;
}

std::string remedy(const BatchSizes& sizes) {
  if (sizes.batches == 1) return "more training pictures";
  return sizes.size == 1 ? "a data.batch_size of at least 2" : "data.drop_last=true";
}

}  // namespace

void check_batch_norms(const graph::Graph& graph, const BatchSizes& sizes) {
  if (sizes.last > 1) return;
  const graph::Node* const norm = find_norm_of_one_value(graph);
  if (norm == nullptr) return;
  const std::int64_t batch = sizes.size == 1 ? 1 : sizes.batches;
  throw Error({.what = "a batch norm would see one value per channel in training",
               .where = "node " + norm->name + ", batch " + std::to_string(batch) + " of the " +
                        std::to_string(sizes.batches) + " of an epoch",
               .got = "1 picture with a value of " + graph::to_string(norm->shape),
               .expected = "at least 2 pictures",
               .remedy = remedy(sizes)});
}

}  // namespace uniq::train
