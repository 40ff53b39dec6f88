// How well a network that LibTorch computes classifies a data set.
#pragma once

#include <cstdint>
#include <string>

#include "uniq/data/loader.h"
#include "uniq/metrics/evaluation.h"
#include "uniq/nn/graph_module.h"
#include "uniq/train/listener.h"

namespace uniq::train {

using metrics::Evaluation;

/// Runs the network in evaluation mode (and puts it back as it was) over one epoch of the loader.
/// Throws Error where a logit is NaN or infinite. `listener` may be null.
Evaluation evaluate(nn::GraphModule& network, data::Loader& loader, std::int64_t classes,
                    const std::string& head, Listener* listener);

}  // namespace uniq::train
