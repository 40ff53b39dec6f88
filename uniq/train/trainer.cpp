#include "uniq/train/trainer.h"

#include <ATen/ops/cross_entropy_loss.h>
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/grad_mode.h>

#include <cmath>
#include <cstdio>

#include "uniq/base/clock.h"
#include "uniq/base/error.h"
#include "uniq/base/file.h"
#include "uniq/base/text.h"
#include "uniq/nn/batch_norm.h"
#include "uniq/nn/memory.h"
#include "uniq/quant/calibration.h"
#include "uniq/train/batches.h"
#include "uniq/train/device.h"
#include "uniq/train/health.h"
#include "uniq/train/schedule.h"

namespace uniq::train {
namespace {

using resume::Sums;

// Loader epochs apart from those of training (0, 1, ...), so that other pictures come in another
// order; any numbers that training does not use would do.
constexpr std::int64_t kCalibrationEpoch = std::int64_t{1} << 40;
constexpr std::int64_t kReestimationEpoch = std::int64_t{2} << 40;

const std::vector<std::string> kColumns = {"loss", "top1", "top5", "lr", "guarded_steps"};

double share(const Sums& sums) {
  return 100.0 * static_cast<double>(sums.correct) / static_cast<double>(sums.pictures);
}

double mean_loss(const Sums& sums) { return sums.loss / static_cast<double>(sums.pictures); }

void add(Sums& sums, double loss, std::int64_t correct, std::int64_t pictures) {
  sums.loss += loss * static_cast<double>(pictures);
  sums.correct += correct;
  sums.pictures += pictures;
}

std::string format(const char* pattern, double a, double b) {
  char text[96];
  std::snprintf(text, sizeof text, pattern, a, b);
  return text;
}

// It is read at the end only: hours of training would be lost.
void check_best_is_there(const State& state, const std::filesystem::path& best) {
  if (state.best_epoch < 0 || file_exists(best)) return;
  throw Error({.what = "the run's best checkpoint is missing",
               .where = best.string(),
               .got = "no such file",
               .remedy = "to put it back, or --overwrite to begin anew"});
}

}  // namespace

Trainer::Trainer(Setup& setup, std::function<Evaluation()> test)
    : setup_(setup), test_(std::move(test)), clock_(now()), last_saved_(now()) {}

Trainer::~Trainer() = default;

bool Trainer::stopping() const { return setup_.options.stop && setup_.options.stop->load(); }

void Trainer::resume() {
  const std::filesystem::path file = setup_.options.folder / kLastFile;
  state_ = load_checkpoint(file, setup_.network, *setup_.optimizer);
  check_state(state_, setup_.recipe.train.epochs, setup_.training->batches(), file.string());
  // Where nothing chooses among the epochs, each writes it anew.
  const bool chooses = setup_.validation || setup_.recipe.train.test_each_epoch;
  if (chooses || state_.epoch == setup_.recipe.train.epochs)
    check_best_is_there(state_, setup_.options.folder / kBestFile);
  open_metrics(/*resumed=*/true);
}

void Trainer::begin() {
  open_metrics(/*resumed=*/false);
  if (setup_.network->plan().quantized() && !setup_.has_steps && !calibrate()) return;
  quant::arm_guards(*setup_.network, setup_.recipe.quantize.step_floor);
  save_last();
}

void Trainer::open_metrics(bool resumed) {
  metrics_ = std::make_unique<metrics::Writer>(setup_.options.folder, kColumns,
                                               setup_.recipe.train.tensorboard,
                                               resumed ? &state_.metrics : nullptr);
}

void Trainer::write_row(const std::string& phase, std::map<std::string, double> values) {
  metrics_->write({state_.epoch, state_.step, phase, std::move(values)});
}

// What the quantizers and batch norms learn by looking.
void Trainer::observe_next_batch() {
  const Pictures pictures =
      to_device(*setup_.training->next(), *setup_.network, device_of(*setup_.network));
  setup_.network->forward(pictures.values);
}

// The network sees the batches in training mode; every quantizer sets its step from what comes
// through those before it. Returns false where the run was stopped: nothing is kept of it then.
bool Trainer::calibrate() {
  const torch::NoGradGuard no_grad;
  data::Loader& loader = *setup_.training;
  const std::int64_t batches =
      std::min(setup_.recipe.quantize.calibration_batches, loader.batches());
  metrics::Progress progress(batches);
  setup_.network->train();
  quant::start_calibration(*setup_.network);
  loader.start(kCalibrationEpoch);
  for (std::int64_t i = 0; i < batches; ++i) {
    if (stopping()) return false;
    observe_next_batch();
    progress.advance(1);
    if (setup_.options.listener) setup_.options.listener->progress(progress, "calibration", "");
  }
  quant::stop_calibration(*setup_.network);
  report_fallbacks();
  return true;
}

void Trainer::report_fallbacks() {
  const std::vector<std::string> fallbacks = quant::fallbacks(*setup_.network);
  if (fallbacks.empty() || !setup_.options.listener) return;
  setup_.options.listener->message("weights without a scale of their own: " +
                                   join(fallbacks, "; "));
}

bool Trainer::train() {
  if (stopping()) return false;
  const recipe::Train& options = setup_.recipe.train;
  const std::int64_t batches = setup_.training->batches();
  progress_ = std::make_unique<metrics::Progress>(batches * options.epochs);
  progress_->skip(state_.epoch * batches + state_.batch);
  // Before each epoch, not after: a run that had stopped early stays so when it is resumed.
  while (state_.epoch < options.epochs && !out_of_patience())
    if (!train_epoch()) return false;
  if (state_.epoch < options.epochs && setup_.options.listener)
    setup_.options.listener->message("no gain for " + std::to_string(options.patience) +
                                     " epochs: stopped early");
  return true;
}

bool Trainer::out_of_patience() const {
  const std::int64_t patience = setup_.recipe.train.patience;
  return patience > 0 && state_.epoch - 1 - state_.best_epoch >= patience;
}

bool Trainer::train_epoch() {
  data::Loader& loader = *setup_.training;
  setup_.network->train();
  loader.start(state_.epoch, state_.batch);
  while (const data::Batch* batch = loader.next()) {
    train_batch(*batch);
    const double minutes = setup_.recipe.train.save_minutes;
    const bool ended = state_.batch == loader.batches();
    if (stopping() && !ended) {
      save_last();
      return false;
    }
    if (minutes > 0.0 && now() - last_saved_ > 60.0 * minutes && !ended) save_last();
  }
  finish_epoch();
  return !stopping() || state_.epoch == setup_.recipe.train.epochs;
}

void Trainer::train_batch(const data::Batch& batch) {
  const recipe::Recipe& recipe = setup_.recipe;
  nn::GraphModule& network = setup_.network;
  const Pictures pictures = to_device(batch, *network, device_of(*network));
  const double lr =
      learning_rate(recipe.schedule, recipe.optimizer.lr,
                    {state_.epoch, state_.batch, recipe.train.epochs, setup_.training->batches()});
  const at::Tensor logits = logits_of(pictures.values);
  const at::Tensor loss =
      at::cross_entropy_loss(logits, pictures.labels, {}, at::Reduction::Mean,
                             /*ignore_index=*/-100, recipe.train.label_smoothing);
  const auto value = loss.item<double>();
  if (!std::isfinite(value)) report_non_finite(network, pictures.values, in_step());
  nn::with_tensor_memory("the network's gradients", [&] {
    loss.backward();
    setup_.optimizer->set_learning_rate(lr);
    setup_.optimizer->step();
  });
  state_.guarded += quant::guard_steps(*network);

  const auto correct = (logits.argmax(1) == pictures.labels).sum().item<std::int64_t>();
  add(state_.epoch_sums, value, correct, batch.count);
  add(state_.row_sums, value, correct, batch.count);
  ++state_.batch;
  ++state_.step;
  progress_->advance(1);
  if (state_.step % recipe.train.log_batches == 0) {
    write_row("train", {{"loss", mean_loss(state_.row_sums)},
                        {"top1", share(state_.row_sums)},
                        {"lr", lr},
                        {"guarded_steps", static_cast<double>(state_.guarded)}});
    state_.row_sums = {};
  }
  show(format("loss %.4f  top-1 %.2f %%", mean_loss(state_.epoch_sums), share(state_.epoch_sums)));
}

at::Tensor Trainer::logits_of(const at::Tensor& pictures) {
  try {
    return setup_.network->forward(pictures);
  } catch (const Error&) {
    // A quantizer refuses a step that is not finite; the layer where that began may lie before it.
    require_finite(setup_.network, in_step());
    throw;
  }
}

std::string Trainer::in_step() const {
  return "epoch " + std::to_string(state_.epoch + 1) + ", step " + std::to_string(state_.step + 1);
}

std::string Trainer::after_step() const {
  if (state_.step == 0) return "before the first step";
  // The epoch is counted up behind its last batch.
  const std::int64_t epoch = state_.batch > 0 ? state_.epoch + 1 : state_.epoch;
  return "epoch " + std::to_string(epoch) + ", after step " + std::to_string(state_.step);
}

void Trainer::show(const std::string& tail) {
  if (!setup_.options.listener) return;
  setup_.options.listener->progress(*progress_, epoch_text(), tail);
}

std::string Trainer::epoch_text() const {
  return "epoch " + std::to_string(state_.epoch + 1) + "/" +
         std::to_string(setup_.recipe.train.epochs);
}

void Trainer::reestimate() {
  const std::int64_t wanted = setup_.recipe.train.reestimate_batches;
  if (wanted == 0) return;
  const torch::NoGradGuard no_grad;
  data::Loader& loader = *setup_.training;
  nn::start_reestimation(*setup_.network);
  loader.start(kReestimationEpoch + state_.epoch);
  for (std::int64_t i = 0; i < std::min(wanted, loader.batches()); ++i) observe_next_batch();
  nn::stop_reestimation(*setup_.network);
}

// What the best epoch is chosen by; nothing where the last epoch is taken as it is.
std::optional<Evaluation> Trainer::select() {
  if (setup_.recipe.train.test_each_epoch) return test_();
  if (!setup_.validation) return {};
  return evaluate(setup_.network, *setup_.validation,
                  static_cast<std::int64_t>(setup_.info.classes.size()), "validation",
                  setup_.options.listener);
}

void Trainer::finish_epoch() {
  require_finite(setup_.network, after_step());
  reestimate();
  const std::optional<Evaluation> found = select();
  std::string line = epoch_text() + format(": loss %.4f, top-1 %.2f %%",
                                           mean_loss(state_.epoch_sums), share(state_.epoch_sums));
  if (found) {
    const char* phase = setup_.recipe.train.test_each_epoch ? "test" : "validation";
    write_row(phase, {{"loss", found->loss}, {"top1", found->top1}, {"top5", found->top5}});
    line +=
        std::string("; ") + phase + format(" loss %.4f, top-1 %.2f %%", found->loss, found->top1);
  }
  if (setup_.options.listener) setup_.options.listener->message(line);

  const bool better = !found || found->top1 > state_.best_top1;
  if (better) {
    state_.best_epoch = state_.epoch;
    state_.best_top1 = found ? found->top1 : -1.0;
  }
  ++state_.epoch;
  state_.batch = 0;
  state_.epoch_sums = {};
  // The network before the position: killed in between, the resumed run writes it again.
  if (better) save_network(kBestFile);
  const std::int64_t every = setup_.recipe.train.save_epochs;
  if (every > 0 && state_.epoch % every == 0)
    save_network("epoch-" + std::to_string(state_.epoch) + ".safetensors");
  save_last();
}

void Trainer::save_network(const std::filesystem::path& name) {
  save_checkpoint(setup_.options.folder / name, setup_.info, setup_.network, setup_.origin, state_,
                  nullptr);
}

void Trainer::save_last() {
  require_finite(setup_.network, after_step());
  const double time = now();
  state_.seconds += time - clock_;
  clock_ = time;
  state_.metrics = metrics_->sync();
  save_checkpoint(setup_.options.folder / kLastFile, setup_.info, setup_.network, setup_.origin,
                  state_, setup_.optimizer.get());
  last_saved_ = now();
}

}  // namespace uniq::train
