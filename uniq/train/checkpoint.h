// Files of a run: the network alone (best, epoch-N), or with all it takes to go on (last).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "uniq/format/checkpoint.h"
#include "uniq/nn/graph_module.h"
#include "uniq/resume/state.h"
#include "uniq/train/optimizer.h"

namespace uniq::train {

using resume::State;

/// That a run was given more epochs than it was begun with, by RunOptions::extend.
struct Extension {
  std::int64_t done = 0;    ///< epochs done by then
  std::int64_t before = 0;  ///< train.epochs
  std::int64_t after = 0;
  bool operator==(const Extension&) const = default;
};

/// What a checkpoint's "training" metadata says, beside the state.
struct Origin {
  std::string data;    ///< the data set's name
  std::string root;    ///< its folder; empty: the usual one
  std::string recipe;  ///< the resolved recipe, YAML
  std::vector<Extension> extensions = {};
};

/// JSON of a list of extensions, as in result.json and in a checkpoint's metadata.
std::string to_json(const std::vector<Extension>& extensions);

/// `info.training` is replaced. With an optimizer: its state, the guards' bounds and the random
/// number generator's state too. Whole or not at all.
void save_checkpoint(const std::filesystem::path& path, format::CheckpointInfo info,
                     const nn::GraphModule& network, const Origin& origin, const State& state,
                     const Optimizer* optimizer);

/// How a run was made and where it stands, by its checkpoint's metadata alone. Throws Error where
/// they do not say it.
struct Standing {
  Origin origin;
  State state;
};
Standing read_standing(const std::filesystem::path& path);

/// Takes back what save_checkpoint wrote with an optimizer. Throws Error where the file's network
/// or plan is not that of `network`, and as resume::check_training_tensors() does.
State load_checkpoint(const std::filesystem::path& path, nn::GraphModule& network,
                      Optimizer& optimizer);

/// Starts from another run's network: copies every tensor that `network` has (a counter that is
/// missing becomes 0), steps only if the plans are equal. Returns whether the steps were copied
/// too, so that no calibration is needed. Throws Error where the file holds another network.
bool start_from(const std::filesystem::path& path, nn::GraphModule& network);

}  // namespace uniq::train
