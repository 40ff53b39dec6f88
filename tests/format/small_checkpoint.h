// A checkpoint of a small network with sensible numbers, to be written, damaged and read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "uniq/format/checkpoint.h"

namespace uniq::testing {

/// Tensors by name, with their bytes.
struct SmallTensors {
  std::map<std::string, std::vector<std::byte>> data;
  std::map<std::string, format::TensorView> tensors;  ///< views into data

  /// F32 unless told otherwise; all elements alike.
  void add(const std::string& name, const std::vector<std::int64_t>& shape, float value,
           format::DType dtype = format::DType::f32);
  std::vector<format::TensorView> views() const;
};

struct SmallCheckpoint : SmallTensors {
  format::CheckpointInfo info;
  /// The file's bytes.
  std::string bytes() const;
};

/// conv1 (reads the picture) - bn1 - relu - conv2 - relu - pool - flatten - fc, at 3 classes; the
/// inner layer's widths, granularity and the method as asked for, first and last layer at 8 bits.
SmallCheckpoint small_checkpoint(const graph::BitRequest& request);

/// {2, 2} bits, UniQ.
graph::BitRequest two_bits(graph::Method method = graph::Method::uniq);

}  // namespace uniq::testing
