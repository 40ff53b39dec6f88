// Where a network runs.
#pragma once

#include <c10/core/Device.h>
#include <torch/nn/module.h>

#include <string>

namespace uniq::train {

/// "cpu", "cuda" or "cuda:N"; throws UsageError for other names and where this LibTorch or machine
/// has no such device.
c10::Device parse_device(const std::string& name);

/// Where a network is; the CPU where it has no parameters.
c10::Device device_of(const torch::nn::Module& network);

/// Moves a network there, its convolutions' weights into channels-last memory.
void place(torch::nn::Module& network, const c10::Device& device);

}  // namespace uniq::train
