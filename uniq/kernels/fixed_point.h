// From a convolution's sums to codes by one multiply-add in fixed point, which knows where it may
// be wrong.
//
// What an epilogue makes of a channel's sum is a straight line but for its roundings, and then
// rounded to a code. Here the line is computed at once, counted in 2^-16 of a code, and rounded to
// an integer: its upper half is the code. The line and all steps of the epilogue are rounded by
// 2^-24 of what they are at most, so that both ways agree unless the lower half says that a
// code's threshold is nearer than all of these together: `margin` units. There, for one value of
// several thousands, the epilogue's own steps decide.
#pragma once

#include <optional>

#include "uniq/kernels/epilogue.h"

namespace uniq::kernels {

/// Bits behind the point.
inline constexpr int kFixedBits = 16;

/// Nothing for epilogues other than those from sums to one output of codes in bytes, for lines with
/// a bend above code 0 other than a last ReLU6, and where numbers are so large that the margin
/// would be too wide.
std::optional<FixedPoint> fixed_point(const Epilogue& epilogue, const SumRange& range);

}  // namespace uniq::kernels
