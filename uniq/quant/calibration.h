// What is done to all quantizers below a module: its own layers', or those of any hand-written
// LibTorch module.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "uniq/quant/quantizer.h"

namespace uniq::quant {

/// In the order of the module tree; `path` is the quantizer's ("layer1.0.conv1.quan_w").
void for_each_quantizer(const torch::nn::Module& root,
                        const std::function<void(const std::string& path, Quantizer&)>& action);

/// Calibration: start, run batches through the module in training mode, stop. The guard's bounds
/// are not touched.
void start_calibration(const torch::nn::Module& root);
/// Throws Error that names the first quantizer that found no step.
void stop_calibration(const torch::nn::Module& root);

/// What calibration took where weights gave no step, one text for each quantizer that has one:
/// "conv2 weights: 3 of 16 kernels take the layer's step".
std::vector<std::string> fallbacks(const torch::nn::Module& root);

/// Arms every quantizer's guard at `fraction` of its present step, and applies them; how many
/// steps were lifted.
void arm_guards(const torch::nn::Module& root, double fraction);
std::int64_t guard_steps(const torch::nn::Module& root);

}  // namespace uniq::quant
