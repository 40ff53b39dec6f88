#include "uniq/kernels/fixed_point.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "uniq/grid/grid.h"
#include "uniq/kernels/code_of.h"
#include "uniq/kernels/line.h"

namespace uniq::kernels {
namespace {

using Kind = EpilogueStage::Kind;

constexpr double kOne = 1 << kFixedBits;  ///< a code, in units
constexpr double kExact = 0x1p24;         ///< integers up to it are fp32 numbers
constexpr double kRounding = 0x1p-24;     ///< by so much of itself an fp32 number is off at most

/// What rounding to fp32 adds at most to a number of at most `size`.
double half_place(double size) {
  int exponent = 0;
  const double fraction = std::frexp(size, &exponent);
  constexpr int kPlaces = 25;
  constexpr double kLeast = 0x1p-150;  // half of the least fp32 number
  return std::max(kLeast, std::ldexp(1.0, exponent - (fraction == 0.5 ? 1 : 0) - kPlaces));
}

/// More would send too many values the long way: of a block of 64, one in eight.
constexpr double kMostMargin = 64;

/// Whether stages are affine but for a last one that only bounds codes.
bool is_straight(const EpilogueOutput& output) {
  const auto bend = std::ranges::find_if(
      output.stages, [](const EpilogueStage& stage) { return stage.kind != Kind::affine; });
  return bend == output.stages.end() || (bend + 1 == output.stages.end() && output.offset == 0.0f);
}

/// A channel, in units.
class Channel {
 public:
  Channel(const Epilogue& epilogue, const SumRange& range, std::size_t channel)
      : epilogue_(epilogue), output_(epilogue.outputs[0]), range_(range), channel_(channel) {
    const Line line = line_of(epilogue, channel);
    slope_ = line.slope * kOne;
    start_ = (line.start + 0.5) * kOne;  // so that cutting off the lower half rounds
    if (range.terms != nullptr) term_ = range.terms[channel];
  }

  float scale() const { return static_cast<float>(slope_); }
  double bias() const { return start_ + slope_ * term_; }

  /// Whether all numbers stay in their types, but for the fixed point itself: where it leaves
  /// int32, it becomes what is near (loops.inc).
  bool fits() const {
    constexpr double kLargest = 0x1p120;
    constexpr double kLargestInt = 0x1p31;
    constexpr double kLargestStart = 0x1p40;
    double v = std::abs(double{epilogue_.scale[channel_]}) * reach() +
               std::abs(double{epilogue_.bias[channel_]});
    bool is_finite = v < kLargest;
    for (const EpilogueStage& stage : output_.stages) {
      if (stage.kind != Kind::affine) continue;
      v = v * std::abs(double{stage.scale[channel_]}) + std::abs(double{stage.bias[channel_]});
      is_finite = is_finite && v < kLargest;
    }
    return is_finite && v / output_.step < kLargest &&
           std::abs(slope_) * (reach() + lacking()) + std::abs(start_) < kLargest &&
           reach() + lacking() < kLargestInt &&
           // Far beyond it, what cancels out leaves the roundings of double.
           std::abs(start_) + std::abs(slope_ * term_) < kLargestStart;
  }

  /// How far the fixed point and the epilogue's own code before rounding may be apart where either
  /// is near a threshold.
  double margin() const {
    constexpr double kSlack = 0.01;  // roundings of this, and products of roundings
    return (own_roundings() + fixed_roundings()) * (1 + kSlack) + kSlack;
  }

 private:
  /// Largest sum, and what a kernel's numbers may lack of it.
  double reach() const { return static_cast<double>(range_.largest); }
  double lacking() const { return static_cast<double>(range_.windows) + terms(); }
  double terms() const { return std::abs(term_) + static_cast<double>(range_.other_terms); }
  /// The largest threshold, with the half that start_ has in it, and then some.
  double most() const { return kOne * (max_code(output_.bits) + 0.5); }
  /// Of a sum at a threshold.
  double most_of_sum() const {
    if (slope_ == 0.0) return reach();
    return std::min(reach(), (most() + std::abs(start_)) / std::abs(slope_));
  }

  /// Of the epilogue: sums to fp32, each stage, the quotient, and the offset.
  double own_roundings() const {
    const double offset = std::abs(double{output_.offset});
    const double quotient = most() / kOne + offset;
    double all = kOne * half_place(quotient);
    if (offset != 0.0) all += half_place(most());
    double size = quotient * output_.step;  // of a value, stage by stage from the last
    double unit = kOne / output_.step;
    all += unit * half_place(size);
    for (auto stage = output_.stages.rbegin(); stage != output_.stages.rend(); ++stage) {
      if (stage->kind != Kind::affine) continue;
      const double scale = std::abs(double{stage->scale[channel_]});
      size += std::abs(double{stage->bias[channel_]});
      unit *= scale;
      // unit * half_place(size / scale), also where the scale is 0.
      all += unit == 0.0 ? 0.0 : unit * half_place(size / scale);
      size = scale == 0.0 ? 0.0 : size / scale;
    }
    return all + (most_of_sum() > kExact ? std::abs(slope_) * half_place(most_of_sum()) : 0.0);
  }
  /// Of the multiply-add: a kernel's numbers, terms and those of windows to fp32; the scale, and
  /// that of windows; the bias, with terms, and with the windows; and the result, first to fp32 and
  /// then to an integer.
  double fixed_roundings() const {
    constexpr double kOfResult = 0.75;  // below 2^23 a quarter, and a half; above a half alone
    const double numbers = most_of_sum() + lacking();
    const double windows = std::abs(slope_) * static_cast<double>(range_.windows);
    const double bias_size = std::abs(bias()) + kMostMargin;
    const double other = std::abs(slope_) * static_cast<double>(range_.other_terms);
    return (numbers > kExact ? 4 * std::abs(slope_) * half_place(numbers) : 0.0) +
           std::abs(double{scale()} - slope_) * (most_of_sum() + terms()) +
           2 * kRounding * windows + half_place(bias_size) +
           (other == 0.0 ? 0.0 : half_place(other + bias_size)) +
           (windows == 0.0 ? 0.0 : half_place(windows + other + bias_size)) + kOfResult;
  }

  const Epilogue& epilogue_;
  const EpilogueOutput& output_;
  const SumRange& range_;
  std::size_t channel_;
  double slope_, start_;
  double term_ = 0;  ///< in sums
};

}  // namespace

std::optional<FixedPoint> fixed_point(const Epilogue& epilogue, const SumRange& range) {
  if (epilogue.scale == nullptr || epilogue.outputs.size() != 1) return std::nullopt;
  const EpilogueOutput& output = epilogue.outputs[0];
  if (output.bits == 0 || output.layout.form != CodeLayout::Form::bytes || !is_straight(output))
    return std::nullopt;
  constexpr float kSmallest = 0x1p-60f;  // far from numbers that are rounded by more
  if (!(output.step >= kSmallest)) return std::nullopt;
  const bool is_bounded = !output.stages.empty() && output.stages.back().kind == Kind::relu6;
  FixedPoint fixed;
  fixed.largest = is_bounded ? code_of(output, kSix) : max_code(output.bits);
  std::vector<double> biases;
  double margin = 0;
  for (std::size_t c = 0; c < static_cast<std::size_t>(epilogue.channels); ++c) {
    const Channel channel(epilogue, range, c);
    if (!channel.fits()) return std::nullopt;
    const double own = channel.margin();
    if (!(own <= kMostMargin)) return std::nullopt;
    margin = std::max(margin, own);
    fixed.scale.push_back(channel.scale());
    biases.push_back(channel.bias());
  }
  fixed.margin = static_cast<std::int32_t>(std::ceil(margin));
  for (const double bias : biases) fixed.bias.push_back(static_cast<float>(bias + fixed.margin));
  return fixed;
}

}  // namespace uniq::kernels
