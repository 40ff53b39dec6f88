// Checkpoints for the program to look at.
#pragma once

#include <filesystem>
#include <string>

#include "uniq/format/checkpoint.h"
#include "uniq/pack/pack.h"

namespace uniq::testing {

/// input 1x4x4, conv1, conv2, fc with 3 classes; each layer quantized as the request says. `name`d
/// layers' tensors are filled with simple numbers: see fill_value.
format::CheckpointInfo small_checkpoint(const graph::BitRequest& request);

/// Pictures and classes of the small digits (tests/support/small_digits.h): input 1x12x12, two
/// convolutions with batch norms, the second of which adds the first's result, fc with 10 classes.
format::CheckpointInfo digits_checkpoint(const graph::BitRequest& request);

/// Element i of a tensor: steps and bounds (i + 1) / 4; anything else (i % 3 - 1) / 8, so that the
/// mean magnitude of 3n elements is 1/12.
float fill_value(const std::string& tensor, std::size_t i);

/// Writes the checkpoint with all tensors it has to have, filled with fill_value.
void write_checkpoint(const std::filesystem::path& path, const format::CheckpointInfo& info);

/// The same with the tensors of a source.
void write_checkpoint(const std::filesystem::path& path, const format::CheckpointInfo& info,
                      const pack::TensorSource& tensors);

}  // namespace uniq::testing
