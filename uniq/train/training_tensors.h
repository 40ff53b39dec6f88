// What a checkpoint holds beside the network so that its run can go on: the optimizer's state, the
// bounds of the guards, the state of the random number generator.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "uniq/format/checkpoint.h"
#include "uniq/recipe/recipe.h"

namespace uniq::train {

/// Names of those tensors: the prefix, then the parameter and what is kept of it, or the path of
/// the quantizer.
inline const std::string kOptimizerPrefix = std::string(format::kTrainingPrefix) + "optimizer.";
inline const std::string kGuardPrefix = std::string(format::kTrainingPrefix) + "guard.";
inline const std::string kRandomState = std::string(format::kTrainingPrefix) + "random";

/// What the optimizer keeps of each parameter after its first step: "momentum", or "exp_avg",
/// "exp_avg_sq" and "step".
std::vector<std::string> kept_by(const recipe::Optimizer& optimizer);

/// Throws Error, naming file and tensor, unless the file holds all that a run of this network with
/// this optimizer needs to go on: every tensor of the network in its own type, batch norms'
/// counters included (a file that another program narrowed or thinned out is no state of a run);
/// and of the state every tensor that belongs there, none besides, of the right type and shape,
/// with numbers that can be right. What the optimizer keeps may be missing as a whole where no step
/// was made (`steps` is 0).
void check_training_tensors(const format::Safetensors& file, const format::CheckpointInfo& info,
                            const recipe::Optimizer& optimizer, std::int64_t steps);

}  // namespace uniq::train
