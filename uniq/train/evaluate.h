// How well a network classifies a data set.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "uniq/data/loader.h"
#include "uniq/nn/graph_module.h"
#include "uniq/train/listener.h"

namespace uniq::train {

struct Evaluation {
  std::int64_t pictures = 0;
  double loss = 0.0;  ///< mean cross-entropy
  double top1 = 0.0;  ///< percent
  double top5 = 0.0;  ///< percent; 100 with five classes or fewer
  struct PerClass {
    std::int64_t pictures = 0;
    std::int64_t correct = 0;
  };
  std::vector<PerClass> classes;  ///< by label
};

/// Runs the network in evaluation mode (and puts it back as it was) over one epoch of the loader.
/// Throws Error where a logit is NaN or infinite. `listener` may be null.
Evaluation evaluate(nn::GraphModule& network, data::Loader& loader, std::int64_t classes,
                    const std::string& head, Listener* listener);

/// {"pictures":..., "loss":..., "top1":..., "top5":..., "classes": [{"name", "pictures", "top1"}]}.
std::string to_json(const Evaluation& evaluation, const std::vector<std::string>& class_names);

}  // namespace uniq::train
