// What `uniqnn eval` checks and prints, whichever program runs the network.
#pragma once

#include <string>
#include <vector>

#include "uniq/cli/options/options.h"
#include "uniq/data/dataset.h"
#include "uniq/metrics/evaluation.h"

namespace uniq::cli {

/// What `--split` names.
data::Split split_of(const EvalOptions& options);

/// Throws Error where the data set has another number of classes than the network; warns where they
/// have other names. `data`: the data set's name; `network`: "checkpoint" or "packed model".
void check_classes(const data::Dataset& dataset, const std::string& data,
                   const std::vector<std::string>& classes, const std::string& network);

/// A table, or JSON where the options ask for it.
std::string evaluation_text(const metrics::Evaluation& evaluation, const EvalOptions& options,
                            const std::string& data, const std::vector<std::string>& classes);

}  // namespace uniq::cli
