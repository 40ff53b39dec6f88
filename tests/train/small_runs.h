// Small training runs: a folder with data, a network and recipes, and what is compared of two runs.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/base/temporary_folder.h"
#include "tests/support/program.h"
#include "tests/support/small_digits.h"
#include "uniq/recipe/recipe.h"
#include "uniq/train/run.h"

namespace uniq::testing {

using Settings = std::vector<std::string>;

/// Everything a run needs, in a folder of its own: `data/`, `small.graph` (convolutions, batch
/// norms and a dropout) and `recipe.yaml`: that network in fp32, 10 batches per epoch, 1 thread.
class SmallRuns {
 public:
  explicit SmallRuns(const SmallDigits& digits = {});

  std::filesystem::path operator/(const std::filesystem::path& name) const {
    return folder_ / name;
  }
  std::filesystem::path recipe_file() const { return folder_ / "recipe.yaml"; }

  /// The recipe with changes, as --set gives them.
  recipe::Recipe recipe(const Settings& settings = {}) const;

  /// `uniqnn train recipe.yaml --output <run> --set ...`, and further arguments.
  ProgramResult train(const std::string& run, const Settings& settings = {},
                      const std::vector<std::string>& arguments = {}) const;
  std::vector<std::string> train_arguments(const std::string& run, const Settings& settings,
                                           const std::vector<std::string>& arguments = {}) const;

  /// The same within this process.
  train::RunResult run(const std::string& run, const Settings& settings = {},
                       train::IfExists if_exists = train::IfExists::refuse,
                       train::Listener* listener = nullptr,
                       const std::atomic<bool>* stop = nullptr) const;

 private:
  TemporaryFolder folder_;
};

Settings operator+(const Settings& a, const Settings& b);

/// For programs with two threads: those that wait for each other leave the cores to the tests
/// beside.
inline const ProgramOptions kPatientThreads = {.environment = {"OMP_WAIT_POLICY=passive"}};

/// 2-bit weights and activations, calibrated on two batches.
inline const Settings kTwoBits = {"quantize.weight_bits=2", "quantize.activation_bits=2",
                                  "quantize.calibration_batches=2"};

/// What shows a wrong state of the random generators, the optimizer or the metrics: quantization,
/// crops, flips, cutout, momentum (and the network's dropout).
inline const Settings kEverythingRandom =
    kTwoBits + Settings{"data.augmentation.pad=1", "data.augmentation.flip=true",
                        "data.augmentation.cutout=3", "optimizer.lr=0.02"};

/// Another optimizer, whose state has more tensors.
inline const Settings kAdam = {"optimizer.kind=adam", "optimizer.lr=0.005",
                               "optimizer.clip_norm=2"};

/// `uniqnn` with patient threads. `isa`: UNIQ_ISA, where it is not empty.
ProgramResult uniqnn(const std::vector<std::string>& arguments, const std::string& isa = "");

std::string contents(const std::filesystem::path& file);
void write(const std::filesystem::path& file, const std::string& text);
nlohmann::json json_file(const std::filesystem::path& file);
nlohmann::json state_in(const std::filesystem::path& checkpoint);  ///< of its metadata
std::vector<std::string> lines(const std::string& text);
/// Names, sorted, of what lies in a folder.
std::vector<std::string> names_in(const std::filesystem::path& folder);

/// Names, types, shapes and bytes of all tensors are equal, and all metadata but what depends on
/// the clock: the seconds, and in `best` how much of the metrics had been synced.
::testing::AssertionResult same_checkpoint(const std::filesystem::path& actual,
                                           const std::filesystem::path& expected);

/// The checkpoints, the metrics and the result are those of an uninterrupted run, and no temporary
/// file is left.
::testing::AssertionResult same_run(const std::filesystem::path& actual,
                                    const std::filesystem::path& expected);

}  // namespace uniq::testing
