#include "uniq/train/batches.h"

#include <ATen/ops/from_blob.h>

namespace uniq::train {

Pictures to_device(const data::Batch& batch, const nn::GraphModuleImpl& network,
                   const at::Device& device) {
  const graph::Shape& shape = network.graph().node(network.graph().input()).shape;
  // from_blob takes void*; nothing writes through these tensors.
  auto* pixels = const_cast<float*>(batch.pixels.data());
  auto* labels = const_cast<std::int64_t*>(batch.labels.data());
  const at::Tensor values =
      at::from_blob(pixels, {batch.count, shape.height, shape.width, shape.channels}, at::kFloat)
          .permute({0, 3, 1, 2});
  return {values.to(device), at::from_blob(labels, {batch.count}, at::kLong).to(device)};
}

}  // namespace uniq::train
