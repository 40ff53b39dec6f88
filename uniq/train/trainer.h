// The training loop over a network: calibration, epochs, evaluation, checkpoints. run.h sets it up.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "uniq/data/loader.h"
#include "uniq/train/checkpoint.h"
#include "uniq/train/run.h"

namespace uniq::train {

/// What a run works on; the data sets outlive the loaders.
struct Setup {
  recipe::Recipe recipe;
  RunOptions options;
  format::CheckpointInfo info;
  Origin origin;
  std::unique_ptr<const data::Dataset> training_set = {};
  std::unique_ptr<data::Loader> training = {};
  std::unique_ptr<data::Loader> validation = {};  ///< null: train.data.validation is 0
  nn::GraphModule network{nullptr};
  std::unique_ptr<Optimizer> optimizer = {};
  bool has_steps = false;  ///< taken from train.start: nothing to calibrate
};

class Trainer {
 public:
  /// `test` evaluates the present network on the test set (which it loads when first called).
  Trainer(Setup& setup, std::function<Evaluation()> test);
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  /// Goes on from last.safetensors.
  void resume();
  /// From the network as it was set up; calibrates where there are steps to find.
  void begin();
  /// All epochs that are left; false where the stop flag ended it (saved, resumable).
  bool train();

  const State& state() const { return state_; }

 private:
  bool stopping() const;
  bool out_of_patience() const;
  void observe_next_batch();
  bool calibrate();
  void report_fallbacks();
  bool train_epoch();
  void train_batch(const data::Batch& batch);
  at::Tensor logits_of(const at::Tensor& pictures);
  void finish_epoch();
  void reestimate();
  std::optional<Evaluation> select();
  void open_metrics(bool resumed);
  void write_row(const std::string& phase, std::map<std::string, double> values);
  void save_last();
  void save_network(const std::filesystem::path& name);
  void show(const std::string& tail);
  std::string in_step() const;     ///< for errors: the step under way
  std::string after_step() const;  ///< for errors: the last one
  std::string epoch_text() const;

  Setup& setup_;
  std::function<Evaluation()> test_;
  State state_;
  std::unique_ptr<metrics::Writer> metrics_;
  std::unique_ptr<metrics::Progress> progress_;
  double clock_;       ///< when `state_.seconds` was last brought up to date
  double last_saved_;  ///< when last.safetensors was last written
};

}  // namespace uniq::train
