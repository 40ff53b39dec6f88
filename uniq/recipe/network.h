// The network that a recipe names: `summary` shows it and `train` trains it.
#pragma once

#include "uniq/data/dataset.h"
#include "uniq/data/preprocessing.h"
#include "uniq/graph/bit_plan.h"
#include "uniq/graph/graph.h"
#include "uniq/recipe/recipe.h"

namespace uniq::recipe {

struct Network {
  graph::Graph graph;
  graph::BitPlan plan;
  data::DatasetGeometry pictures;  ///< what it was built for; `found` says by what
  data::Preprocessing preprocessing;
};

/// Built for such pictures. Throws UsageError where network, pictures and bits do not fit, and
/// where the network has no parameters; Error where a file cannot be read.
Network network_of(const Recipe& recipe, const data::DatasetGeometry& pictures);

/// The same for the pictures of the data set: of the size that those in data.root have or, where
/// there are none, of the usual size.
Network network_of(const Recipe& recipe);

}  // namespace uniq::recipe
