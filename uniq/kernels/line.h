// The straight line that a channel's epilogue is, but for its roundings and its bounds.
#pragma once

#include <cstddef>

#include "uniq/kernels/epilogue.h"

namespace uniq::kernels {

/// The code of a sum before it is rounded: slope * sum + start.
struct Line {
  double slope, start;
};

/// Of the only output. Stages other than affine ones are left out.
inline Line line_of(const Epilogue& epilogue, std::size_t channel) {
  const EpilogueOutput& output = epilogue.outputs[0];
  Line line = {epilogue.scale[channel], epilogue.bias[channel]};
  for (const EpilogueStage& stage : output.stages) {
    if (stage.kind != EpilogueStage::Kind::affine) continue;
    line.slope *= stage.scale[channel];
    line.start = line.start * stage.scale[channel] + stage.bias[channel];
  }
  line.slope /= output.step;
  line.start = line.start / output.step - output.offset;
  return line;
}

}  // namespace uniq::kernels
