#include "uniq/grid/dorefa.h"

#include <cmath>

#include "uniq/grid/step.h"

namespace uniq {

float dorefa_tanh(float weight) {
  return static_cast<float>(std::tanh(static_cast<double>(weight)));
}

float dorefa_divisor(float largest) { return largest == 0.0f ? 1.0f : largest; }

float dorefa_step(std::span<const float> weights, int bits) {
  if (bits > 1) return static_cast<float>(2.0 / max_code(bits));
  double sum = 0.0;
  for (const float w : weights) sum += std::abs(static_cast<double>(w));
  const auto step = static_cast<float>(2.0 * sum / static_cast<double>(weights.size()));
  return step == 0.0f ? kStepOfZeros : step;
}

}  // namespace uniq
