// A whole training run: data, network, calibration, epochs, evaluation, and its folder:
//
//   recipe.yaml        the resolved recipe, with which it was last started
//   metrics.csv .jsonl, events.out.tfevents.*
//   last.safetensors   network, optimizer and position: what --resume goes on from
//   best.safetensors   the network of the best epoch
//   epoch-N.safetensors  where train.save_epochs asks for them
//   result.json        written last: the run is complete
#pragma once

#include <atomic>
#include <filesystem>
#include <string>

#include "uniq/recipe/recipe.h"
#include "uniq/train/evaluate.h"
#include "uniq/train/listener.h"

namespace uniq::train {

inline constexpr const char* kRecipeFile = "recipe.yaml";
inline constexpr const char* kLastFile = "last.safetensors";
inline constexpr const char* kBestFile = "best.safetensors";
inline constexpr const char* kResultFile = "result.json";

enum class IfExists {
  refuse,     ///< Error where the folder holds a run
  resume,     ///< go on from last.safetensors; begin where there is none
  overwrite,  ///< begin anew
};

struct RunOptions {
  std::filesystem::path folder;  ///< made where it does not exist
  IfExists if_exists = IfExists::refuse;
  bool extend = false;         ///< resume: to more epochs than before, whatever the schedule
  std::string device = "cpu";  ///< as in torch::Device: "cpu", "cuda", "cuda:1"
  const std::atomic<bool>* stop = nullptr;  ///< set: finish the batch, save, return
  Listener* listener = nullptr;
};

struct RunResult {
  bool interrupted = false;  ///< stopped before its end; resumable
  std::int64_t best_epoch = 0;
  Evaluation test;  ///< of the best network; empty where interrupted
  std::filesystem::path folder;
};

/// Trains by the recipe. A run is resumed to the bit where nothing that has an influence on its
/// result differs; more epochs may follow where the schedule permits it (resume.h). Throws Error
/// (bad data, NaN: names the first layer where it appeared, full disk) and leaves the last
/// checkpoint whole.
RunResult run(const recipe::Recipe& recipe, const RunOptions& options);

}  // namespace uniq::train
