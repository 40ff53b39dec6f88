#include "uniq/train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace uniq::train {
namespace {

double cosine(const recipe::Schedule& schedule, double lr, const Position& at) {
  double passed = static_cast<double>(at.epoch - schedule.warmup_epochs);
  if (schedule.unit == recipe::ScheduleUnit::batch)
    passed += static_cast<double>(at.batch) / static_cast<double>(at.batches);
  const double t = passed / static_cast<double>(at.epochs - schedule.warmup_epochs);
  return schedule.final_lr +
         (lr - schedule.final_lr) * 0.5 * (1.0 + std::cos(std::numbers::pi * t));
}

}  // namespace

double learning_rate(const recipe::Schedule& schedule, double lr, const Position& position) {
  if (position.epoch < schedule.warmup_epochs) return schedule.warmup_lr;
  switch (schedule.kind) {
    case recipe::ScheduleKind::cosine:
      return cosine(schedule, lr, position);
    case recipe::ScheduleKind::step: {
      const auto passed = std::count_if(schedule.milestones.begin(), schedule.milestones.end(),
                                        [&](std::int64_t m) { return m <= position.epoch; });
      return lr * std::pow(schedule.factor, static_cast<double>(passed));
    }
    case recipe::ScheduleKind::constant:
      break;
  }
  return lr;
}

}  // namespace uniq::train
