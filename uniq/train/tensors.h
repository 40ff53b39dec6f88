// Between LibTorch's tensors and the safetensors format.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <map>
#include <string>
#include <vector>

#include "uniq/format/safetensors.h"

namespace uniq::train {

using NamedTensors = std::map<std::string, at::Tensor>;

/// Parameters and buffers by their paths, as in PyTorch's state dict; shares their memory.
NamedTensors state_dict(const torch::nn::Module& module);

/// Copies of the tensors as they go into a file: on the CPU, row-major.
NamedTensors for_file(const NamedTensors& tensors);

/// Views of tensors that for_file made, in the order of their names.
std::vector<format::TensorView> views(const NamedTensors& tensors);

/// A copy of a file's tensor. Throws Error for a type that LibTorch does not have.
at::Tensor to_tensor(const format::TensorView& view);

/// Copies values into `target`, keeping its memory format and device; throws Error that names the
/// tensor and `where` if the shapes differ.
void copy_into(const at::Tensor& target, const format::TensorView& source,
               const std::string& where);

/// Copies a network's tensors out of its checkpoint. Floats of 16 bits widen exactly; a batch
/// norm's counter that is missing becomes 0.
void copy_network(const NamedTensors& targets, const format::Safetensors& file);

}  // namespace uniq::train
