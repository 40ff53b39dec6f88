// What calibration makes of batches.
#pragma once

#include <torch/types.h>

#include <vector>

#include "uniq/quant/quantizer.h"

namespace uniq::quant {

/// The step(s) that the batches give, in this order.
inline torch::Tensor calibrated(Quantizer& quantizer, const std::vector<torch::Tensor>& batches) {
  quantizer.start_calibration();
  for (const torch::Tensor& batch : batches) quantizer.forward(batch);
  quantizer.stop_calibration();
  return quantizer.step(batches[0]).clone();
}

}  // namespace uniq::quant
