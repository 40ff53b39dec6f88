#include "uniq/kernels/folded.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "uniq/grid/grid.h"
#include "uniq/kernels/code_of.h"
#include "uniq/kernels/line.h"

namespace uniq::kernels {
namespace {

using Kind = EpilogueStage::Kind;

float after(const EpilogueStage& stage, std::size_t channel, float v) {
  if (stage.kind == Kind::affine) return std::fma(v, stage.scale[channel], stage.bias[channel]);
  if (!(v > 0.0f)) return 0.0f;
  return stage.kind == Kind::relu6 ? std::min(v, kSix) : v;
}

/// A channel of an epilogue. Sums are counted so that codes do not fall: `sign` * sum.
class Channel {
 public:
  Channel(const Epilogue& epilogue, const SumRange& range, std::size_t channel)
      : epilogue_(epilogue),
        output_(epilogue.outputs[0]),
        channel_(channel),
        range_(range.largest),
        term_(range.terms == nullptr ? 0 : range.terms[channel]) {
    const Line line = line_of(epilogue, channel);
    slope_ = line.slope;
    start_ = line.start;
    sign_ = slope_ < 0 ? -1 : 1;
  }

  /// Whether a multiply-add gives the codes; then scale and bias are its.
  bool fold(int largest, float& scale, float& bias) const {
    constexpr double kMost = 0x1p30;
    const auto reach = static_cast<double>(range_ + std::abs(term_));
    if (!(std::abs(slope_) * reach + std::abs(start_) < kMost) || reach >= kMost || !stays_finite())
      return false;
    const int first = code(-range_);
    const int last = code(range_);
    if (first == last) {
      scale = 0.0f;
      bias = static_cast<float>(first);
      return true;
    }
    if (slope_ == 0.0) return false;  // too small a slope for a double
    scale = static_cast<float>(slope_);
    std::vector<std::int64_t> at;  // the least sum of each code first + 1..last
    for (int k = first + 1; k <= last; ++k) at.push_back(threshold(k));
    // Least distances of the line from a threshold to the sums above it and below.
    const double moved = start_ + slope_ * static_cast<double>(term_);
    double above = std::numeric_limits<double>::infinity();
    double below = above;
    for (std::size_t i = 0; i < at.size(); ++i) {
      const double middle = first + static_cast<double>(i) + 0.5;
      above = std::min(above, line(at[i], scale, moved) - middle);
      below = std::min(below, middle - line(at[i] - 1, scale, moved));
    }
    bias = static_cast<float>(moved + (below - above) / 2);
    for (std::size_t i = 0; i < at.size(); ++i) {
      const float middle = static_cast<float>(first) + static_cast<float>(i) + 0.5f;
      if (!(folded(at[i], scale, bias) > middle) || !(folded(at[i] - 1, scale, bias) < middle))
        return false;
    }
    // Of what is never reached, or always.
    const auto limit = [](int k) { return static_cast<float>(k) + 0.5f; };
    return (first == 0 || folded(-range_, scale, bias) > limit(first - 1)) &&
           (last == largest || folded(range_, scale, bias) < limit(last));
  }

 private:
  std::int64_t sum(std::int64_t u) const { return sign_ * u; }
  float value(std::int64_t u) const {
    return std::fma(static_cast<float>(sum(u)), epilogue_.scale[channel_],
                    epilogue_.bias[channel_]);
  }
  int code(std::int64_t u) const {
    float v = value(u);
    for (const EpilogueStage& stage : output_.stages) v = after(stage, channel_, v);
    return code_of(output_, v);
  }
  double line(std::int64_t u, float scale, double bias) const {
    return double{scale} * static_cast<double>(sum(u) - term_) + bias;
  }
  float folded(std::int64_t u, float scale, float bias) const {
    return std::fma(static_cast<float>(sum(u) - term_), scale, bias);
  }

  /// Whether no step of the largest or the least sum, and so of none, leaves fp32's range: an
  /// infinity times 0 would be a NaN, and codes would fall and rise again.
  bool stays_finite() const {
    for (const std::int64_t u : {-range_, range_}) {
      float v = value(u);
      bool is_finite = std::isfinite(v);
      for (const EpilogueStage& stage : output_.stages) {
        v = after(stage, channel_, v);
        is_finite = is_finite && std::isfinite(v);
      }
      if (!is_finite || !std::isfinite(v / output_.step)) return false;
    }
    return true;
  }

  /// The least u whose code is at least k. Precondition: that of -range is not, that of range is.
  std::int64_t threshold(int k) const {
    std::int64_t below = -range_;
    std::int64_t above = range_;
    // From where the line crosses it, in growing steps to one side, until it lies in between.
    const double guess = sign_ * ((k - 0.5 - start_) / slope_);
    const auto at = static_cast<std::int64_t>(
        std::clamp(guess, static_cast<double>(below + 1), static_cast<double>(above)));
    if (code(at) >= k) {
      above = at;
      std::int64_t step = 1;
      for (; above - step > below && code(above - step) >= k; step *= 2) above -= step;
      below = std::max(below, above - step);
    } else {
      below = at;
      std::int64_t step = 1;
      for (; below + step < above && code(below + step) < k; step *= 2) below += step;
      above = std::min(above, below + step);
    }
    while (above - below > 1) {
      const std::int64_t middle = below + (above - below) / 2;
      (code(middle) >= k ? above : below) = middle;
    }
    return above;
  }

  const Epilogue& epilogue_;
  const EpilogueOutput& output_;
  std::size_t channel_;
  std::int64_t range_, term_;
  double slope_ = 0, start_ = 0;  ///< code before rounding = slope * sum + start, nearly
  std::int64_t sign_ = 1;
};

}  // namespace

std::optional<Folded> fold(const Epilogue& epilogue, const SumRange& range) {
  if (epilogue.scale == nullptr || epilogue.outputs.size() != 1 || range.varies)
    return std::nullopt;
  const EpilogueOutput& output = epilogue.outputs[0];
  if (output.bits < 1 || output.bits > kFoldedBits) return std::nullopt;
  const bool is_bounded =
      !output.stages.empty() && output.stages.back().kind == EpilogueStage::Kind::relu6;
  Folded folded;
  folded.largest = is_bounded ? code_of(output, kSix) : max_code(output.bits);
  folded.scale.resize(static_cast<std::size_t>(epilogue.channels));
  folded.bias.resize(folded.scale.size());
  for (std::size_t c = 0; c < folded.scale.size(); ++c)
    if (!Channel(epilogue, range, c).fold(folded.largest, folded.scale[c], folded.bias[c]))
      return std::nullopt;
  return folded;
}

}  // namespace uniq::kernels
