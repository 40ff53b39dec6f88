#include "uniq/kernels/epilogue.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>

#include "uniq/grid/grid.h"
#include "uniq/kernels/code_of.h"
#include "uniq/kernels/fixed_point.h"
#include "uniq/kernels/folded.h"

namespace uniq::kernels {
namespace {

StageRun stage_run(const EpilogueStage& stage) {
  using Kind = EpilogueStage::Kind;
  const StageRun::Kind kind = stage.kind == Kind::affine ? StageRun::affine
                              : stage.kind == Kind::relu ? StageRun::relu
                                                         : StageRun::relu6;
  return {kind, stage.scale, stage.bias};
}

/// Floats in ascending order, -inf first, as consecutive numbers.
constexpr std::uint32_t kMinusInfinity = 0x007fffff;
constexpr std::uint32_t kPlusInfinity = 0xff800000;
float float_at(std::uint32_t place) {
  constexpr std::uint32_t kSign = 0x80000000;
  return std::bit_cast<float>(place >= kSign ? place - kSign : ~place);
}

/// Place of the least value whose code is at least `code`. The code never falls as the value rises,
/// since no rounding does.
std::uint32_t threshold(const EpilogueOutput& output, int code) {
  std::uint32_t below = kMinusInfinity;  // code 0
  std::uint32_t above = kPlusInfinity;   // the largest
  while (above - below > 1) {
    const std::uint32_t middle = below + (above - below) / 2;
    (code_of(output, float_at(middle)) >= code ? above : below) = middle;
  }
  return above;
}

/// Whether the quotient after one step (epilogue.inc) gives every code. It is within a unit in the
/// last place, so the code can be another one only next to a threshold; here 8 values on either
/// side of each are tried.
bool one_step_is_enough(const EpilogueOutput& output, const OutputRun& run) {
  constexpr std::uint32_t kAround = 8;
  for (int code = 1; code <= max_code(output.bits); ++code) {
    const std::uint32_t place = threshold(output, code);
    for (std::uint32_t i = place - kAround; i != place + kAround; ++i) {
      const float v = std::min(float_at(i), run.high);
      const float q = v * run.reciprocal;
      const float once = std::fma(std::fma(q, run.minus_step, v), run.reciprocal, q);
      const float u = once - output.offset;
      if ((u > 0.0f ? static_cast<int>(std::nearbyint(u)) : 0) != code_of(output, float_at(i)))
        return false;
    }
  }
  return true;
}

bool is_relu(const EpilogueStage& stage) { return stage.kind == EpilogueStage::Kind::relu; }

bool begins_in_relu(const EpilogueOutput& output) {
  return !output.stages.empty() && is_relu(output.stages.front());
}

/// What is above `bound` has its code.
void bound_codes(float bound, OutputRun& run) {
  run.high = std::min(run.high, bound);
  for (float& threshold : run.thresholds)
    if (threshold > bound) threshold = std::numeric_limits<float>::quiet_NaN();  // never reached
}

/// Takes the bounds of a last stage into those of the codes: what is below 0 has code 0 anyway, and
/// what is above 6 has that of 6. Whether this could be done.
bool bounds_codes(const EpilogueOutput& output, OutputRun& run) {
  if (output.bits == 0 || output.offset != 0.0f) return false;
  const EpilogueStage::Kind kind = output.stages.back().kind;
  if (kind == EpilogueStage::Kind::relu) return true;
  if (kind != EpilogueStage::Kind::relu6 || run.reciprocal == 0.0f) return false;
  bound_codes(kSix, run);
  return true;
}

OutputRun output_run(const EpilogueOutput& output, std::int64_t channels) {
  OutputRun run = {};
  run.bits = output.bits;
  if (output.bits == 0) {
    run.form = OutputRun::floats;
    run.pixel_bytes = channels * std::int64_t{sizeof(float)};
    return run;
  }
  run.form = output.layout.form == CodeLayout::Form::bytes ? OutputRun::bytes : OutputRun::planes;
  run.pixel_bytes = output.layout.pixel_bytes();
  run.step = output.step;
  run.offset = output.offset;
  run.largest = static_cast<float>(max_code(output.bits));
  run.compares = output.compares && output.bits <= kThresholdBits;
  for (int code = 1; run.compares && code <= max_code(output.bits); ++code)
    run.thresholds[code - 1] = float_at(threshold(output, code));
  // Beyond these the remainders of the quotient could leave fp32's range (epilogue.inc).
  constexpr float kSmallest = 0x1p-60f;
  constexpr float kLargest = 0x1p60f;
  if (!output.multiplies || output.step < kSmallest || output.step > kLargest) return run;
  run.reciprocal = 1.0f / output.step;
  run.minus_step = -output.step;
  run.high = output.step * (run.largest + output.offset);
  run.one_step = one_step_is_enough(output, run);
  return run;
}

}  // namespace

EpilogueProgram::EpilogueProgram(const Epilogue& epilogue, const std::optional<SumRange>& sums)
    : channels_(epilogue.channels),
      scale_(epilogue.scale),
      bias_(epilogue.bias),
      relu_(!epilogue.outputs.empty() && std::ranges::all_of(epilogue.outputs, begins_in_relu)) {
  for (const EpilogueOutput& output : epilogue.outputs) {
    outputs_.push_back(output_run(output, channels_));
    row_bytes_.push_back(output.bits == 0 ? 0 : output.layout.row_bytes());
    auto first = output.stages.begin() + (relu_ ? 1 : 0);
    auto end = output.stages.end();
    if (first != end && bounds_codes(output, outputs_.back())) --end;
    outputs_.back().stage_count = static_cast<int>(end - first);
    for (; first != end; ++first) stages_.push_back(stage_run(*first));
  }
  const StageRun* stages = stages_.data();
  for (OutputRun& output : outputs_) {
    output.stages = stages;
    stages += output.stage_count;
  }
  if (scale_ != nullptr)
    folds_shift_ = std::all_of(scale_, scale_ + channels_, [](float scale) {
      constexpr float kLargest = 0x1p90f;
      return std::abs(scale) < kLargest;
    });
  if (!sums) return;
  folded_terms_ = sums->terms;
  takes_places_ = sums->varies;
  std::optional<Folded> folded = fold(epilogue, *sums);
  if (!folded) {
    fixed_ = fixed_point(epilogue, *sums);
    return;
  }
  EpilogueOutput codes = epilogue.outputs[0];
  codes.stages.clear();
  codes.step = 1.0f;
  codes.offset = 0.0f;
  codes.multiplies = true;
  fold_ = {.by = std::move(*folded), .output = output_run(codes, channels_)};
  bound_codes(static_cast<float>(fold_->by.largest), fold_->output);
}

bool EpilogueProgram::takes_rows(std::int64_t columns) const {
  if (fixed_) return true;
  for (std::size_t i = 0; i < outputs_.size(); ++i)
    if (row_bytes_[i] != 0 && row_bytes_[i] != columns * outputs_[i].pixel_bytes) return false;
  return true;
}

void EpilogueProgram::run(const Loops& loops, const EpilogueWork& work) const {
  EpilogueRun run = {.pixels = work.rows * work.pixels,
                     .columns = work.pixels,
                     .row_gap = 0,
                     .first_channel = work.first_channel,
                     .channels = work.channels,
                     .sums = work.sums,
                     .values = work.values,
                     .pixel = work.pixel,
                     .terms = work.terms,
                     .folds_shift = folds_shift_,
                     .scale = scale_,
                     .bias = bias_,
                     .residual = work.residual,
                     .residual_pixel = channels_,
                     .relu = relu_,
                     .outputs = outputs_.data(),
                     .to = work.outputs,
                     .output_count = static_cast<int>(outputs_.size()),
                     .fixed = nullptr};
  FixedRun fixed;
  const bool is_as_known =
      work.sums != nullptr && work.residual == nullptr &&
      (work.terms.places != nullptr ? takes_places_ : work.terms.terms == folded_terms_);
  if (is_as_known && fixed_) {
    fixed = {.scale = fixed_->scale.data(),
             .bias = fixed_->bias.data(),
             .margin = fixed_->margin,
             .largest = fixed_->largest};
    run.fixed = &fixed;
    run.row_gap = row_bytes_[0] - work.pixels * outputs_[0].pixel_bytes;
  }
  if (is_as_known && fold_) {
    run.terms.terms = nullptr;
    run.scale = fold_->by.scale.data();
    run.bias = fold_->by.bias.data();
    run.relu = false;
    run.outputs = &fold_->output;
  }
  loops.epilogue(run);
}

}  // namespace uniq::kernels
