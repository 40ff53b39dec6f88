// What kernels that multiply weights with bare codes leave out.
//
// The integer of an activation is m * code + z', with m = 2 and z' = -M for mid-rise, m = 1 and
// z' = -2^(bits-1) for mid-tread, m = 1 and z' = 0 for unsigned. Over the taps inside and outside
// the picture, a sum is therefore
//   sum = m * (sum over the inside of weight * code) + correction,
//   correction = z' * (sum of the weights inside) + integer(pad_code) * (sum of those outside),
// without the last term where nothing stands outside. The correction depends on the output's
// channel and its class (border.h) alone.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "uniq/grid/grid.h"
#include "uniq/kernels/conv.h"

namespace uniq::kernels {

/// m above.
constexpr int code_factor(Grid grid) { return grid == Grid::mid_rise ? 2 : 1; }

/// The correction of every class and output channel, [class][out_channels], modulo 2^32: with the
/// rest it gives the sum, which fits. Empty where all would be 0 because the code 0 means 0 and so
/// does what stands outside. codes: [out][kernel row][kernel column][in / groups].
std::vector<std::int32_t> make_corrections(const CodeConv& conv, const AxisClasses& rows,
                                           const AxisClasses& columns,
                                           std::span<const std::uint8_t> codes);

}  // namespace uniq::kernels
