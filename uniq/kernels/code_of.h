// The code of a value, as epilogue.h says it.
#pragma once

#include <algorithm>
#include <cmath>

#include "uniq/grid/grid.h"
#include "uniq/kernels/epilogue.h"

namespace uniq::kernels {

/// Of ReLU6.
inline constexpr float kSix = 6.0f;

inline int code_of(const EpilogueOutput& output, float v) {
  const float u = v / output.step - output.offset;
  if (!(u > 0.0f)) return 0;
  return static_cast<int>(std::nearbyint(std::min(u, static_cast<float>(max_code(output.bits)))));
}

}  // namespace uniq::kernels
