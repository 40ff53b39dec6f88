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

/// The pictures and classes that a built-in network is usually trained on: ImageNet's, CIFAR-100's
/// or MNIST's. Throws UsageError for an unknown name.
ModelInput usual_input(const std::string& name);

/// A built-in network. Throws UsageError: unknown name (with the nearest), pictures too small.
graph::Graph build_model(const std::string& name, const ModelInput& input);

/// A built-in network or, where the name ends in ".graph", one from a text file (docs/graph.md),
/// whose input and output must fit. Throws UsageError, and Error where the file cannot be read or
/// understood.
graph::Graph load_model(const std::string& name_or_file, const ModelInput& input);

}  // namespace uniq::models
