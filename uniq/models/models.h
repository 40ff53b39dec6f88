// The networks that a recipe can name. docs/recipes.md lists them; CONTRIBUTING.md says how to add
// one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "uniq/graph/graph.h"

namespace uniq::models {

/// What the data demands of a network.
struct ModelInput {
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t classes = 0;
};

std::vector<std::string> model_names();

/// A built-in network. Throws UsageError: unknown name (with the nearest), pictures too small.
graph::Graph build_model(const std::string& name, const ModelInput& input);

/// A built-in network or, where the name ends in ".graph", one from a text file (docs/graph.md),
/// whose input and output must fit. Throws UsageError, and Error where the file cannot be read or
/// understood.
graph::Graph load_model(const std::string& name_or_file, const ModelInput& input);

}  // namespace uniq::models
