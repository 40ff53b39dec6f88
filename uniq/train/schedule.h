// The learning rate as a function of the position in the run.
#pragma once

#include <cstdint>

#include "uniq/recipe/recipe.h"

namespace uniq::train {

struct Position {
  std::int64_t epoch = 0;
  std::int64_t batch = 0;    ///< within the epoch
  std::int64_t epochs = 1;   ///< of the whole run
  std::int64_t batches = 1;  ///< per epoch
};

/// Warm-up: warmup_lr. After it, with t the share of the remaining epochs that has passed (by whole
/// epochs, or by batches, as the schedule's unit says), cosine: final_lr + (lr - final_lr)
/// (1 + cos(pi t)) / 2; step: lr * factor^(milestones passed); constant: lr.
double learning_rate(const recipe::Schedule& schedule, double lr, const Position& position);

}  // namespace uniq::train
