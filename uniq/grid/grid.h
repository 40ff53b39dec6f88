// The three quantization grids: value = step * (code + offset), code in {0..M}, M = 2^bits - 1.
// Source: arXiv:2104.00210 and docs/method.md.
#pragma once

#include <cstdint>
#include <string_view>

namespace uniq {

inline constexpr int kMinBits = 1;
inline constexpr int kMaxBits = 8;

enum class Grid {
  mid_rise,   ///< offset -M/2: no zero; 1 bit gives -step/2 and +step/2
  unsigned_,  ///< offset 0: behind a ReLU
  mid_tread,  ///< offset -2^(bits-1): has a zero; needs 2 bits
};

/// "mid-rise", "unsigned", "mid-tread": the names in files, recipes and operators.
std::string_view grid_name(Grid grid);

/// The inverse of grid_name; throws UsageError for any other name.
Grid parse_grid(std::string_view name);

/// Throws UsageError unless 1 <= bits <= 8, and 2 <= bits for mid-tread.
void check_grid(Grid grid, int bits);

/// M, the largest code.
constexpr int max_code(int bits) { return (1 << bits) - 1; }

/// z in value = step * (code + z); exact in fp32.
constexpr float grid_offset(Grid grid, int bits) {
  switch (grid) {
    case Grid::mid_rise:
      return -0.5f * static_cast<float>(max_code(bits));
    case Grid::mid_tread:
      return -static_cast<float>(1 << (bits - 1));
    case Grid::unsigned_:
      break;
  }
  return 0.0f;
}

/// Integer that stands for a code: value = code_unit * integer exactly. Unsigned: the code, unit =
/// step; mid-tread: code - 2^(bits-1), unit = step; mid-rise: 2 code - M, unit = step / 2.
constexpr int code_integer(int code, Grid grid, int bits) {
  if (grid == Grid::mid_rise) return 2 * code - max_code(bits);
  return grid == Grid::mid_tread ? code - (1 << (bits - 1)) : code;
}
constexpr double code_unit(double step, Grid grid) {
  return grid == Grid::mid_rise ? step / 2 : step;
}

/// k = round_half_to_even(clamp(fl(fl(x / step) - z), 0, M)). Infinities clamp to the ends.
/// Precondition: x is not NaN, step is finite and positive.
std::uint8_t quantize(float x, float step, Grid grid, int bits);

/// step * (code + z) in fp32.
float dequantize(std::uint8_t code, float step, Grid grid, int bits);

}  // namespace uniq
