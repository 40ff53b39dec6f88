// The loader's batches as tensors.
#pragma once

#include <ATen/core/Tensor.h>

#include "uniq/data/loader.h"
#include "uniq/nn/graph_module.h"

namespace uniq::train {

struct Pictures {
  at::Tensor values;  ///< [count, channels, height, width], channels-last in memory
  at::Tensor labels;  ///< [count], int64
};

/// On the CPU the tensors share the batch's memory: valid until the loader's next().
Pictures to_device(const data::Batch& batch, const nn::GraphModuleImpl& network,
                   const at::Device& device);

}  // namespace uniq::train
