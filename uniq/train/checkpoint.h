// Files of a run: the network alone (best, epoch-N), or with all it takes to go on (last).
#pragma once

#include <filesystem>

#include "uniq/format/checkpoint.h"
#include "uniq/nn/graph_module.h"
#include "uniq/train/optimizer.h"
#include "uniq/train/state.h"

namespace uniq::train {

/// What a checkpoint's "training" metadata says, beside the state.
struct Origin {
  std::string data;    ///< the data set's name
  std::string root;    ///< its folder; empty: the usual one
  std::string recipe;  ///< the resolved recipe, YAML
};

/// `info.training` is replaced. With an optimizer: its state, the guards' bounds and the random
/// number generator's state too. Whole or not at all.
void save_checkpoint(const std::filesystem::path& path, format::CheckpointInfo info,
                     const nn::GraphModule& network, const Origin& origin, const State& state,
                     const Optimizer* optimizer);

/// Takes back what save_checkpoint wrote with an optimizer. Throws Error where the file's network
/// or plan is not that of `network`, or parts are missing.
State load_checkpoint(const std::filesystem::path& path, nn::GraphModule& network,
                      Optimizer& optimizer);

/// Starts from another run's network: copies every tensor that `network` has (a counter that is
/// missing becomes 0), steps only if the plans are equal. Returns whether the steps were copied
/// too, so that no calibration is needed. Throws Error where the file holds another network.
bool start_from(const std::filesystem::path& path, nn::GraphModule& network);

}  // namespace uniq::train
