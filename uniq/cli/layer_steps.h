// The steps of a checkpoint's quantized layers, whichever method learned them.
#pragma once

#include <optional>
#include <string>

#include "uniq/format/checkpoint.h"

namespace uniq::cli {

/// Smallest and largest of a layer's steps; equal where there is one.
struct StepRange {
  double smallest = 0.0;
  double largest = 0.0;
};

/// `layer` is quantized. UniQ and LSQ keep the step itself, PACT the clipping bound of the
/// activations; DoReFa's steps, and PACT's of the weights, follow from the bits and the weights
/// (docs/method.md).
StepRange weight_steps(const format::Safetensors& file, const format::CheckpointInfo& info,
                       const std::string& layer);
StepRange activation_steps(const format::Safetensors& file, const format::CheckpointInfo& info,
                           const std::string& layer);

}  // namespace uniq::cli
