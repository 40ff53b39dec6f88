// Small networks with random weights, calibrated and packed.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "uniq/data/dataset.h"
#include "uniq/format/packed_model.h"
#include "uniq/graph/bit_plan.h"
#include "uniq/graph/graph.h"
#include "uniq/pack/pack.h"
#include "uniq/train/load.h"
#include "uniq/verify/report.h"
#include "uniq/verify/verify.h"

namespace uniq::verify {

/// Windows of all kinds, pools, adds with and without a convolution, ReLU and ReLU6, signed
/// activations with and without padding, flattening a map; 2x9x8 pictures, 5 classes.
graph::Graph every_node();

/// Convolutions and batch norms in front of ReLUs, a residual that is added before one; 3x8x8.
graph::Graph post_activation();

/// 3x3, four filters, ReLU, and 3 classes; 1x6x6.
graph::Graph two_layers();

/// 3x3, 48 filters, ReLU, and 10 classes from 37,632 values; 1x28x28: sums of 8-bit codes leave 32
/// bits.
graph::Graph wide_sums();

struct SmallPacked {
  train::LoadedNetwork trained;
  pack::TensorSource tensors;
  pack::Packed packed;

  Report verify(const format::PackedModel& model, const data::Dataset& pictures) const;
  /// Proofs (a) and (b) alone.
  Report prove(const Networks& networks, const data::Dataset& pictures) const;
  /// The packed node of that name.
  std::size_t node(const std::string& name) const;
};

/// Batch norms of either sign; steps from calibration; the same from the same seed.
SmallPacked small_packed(const graph::Graph& graph, const graph::BitRequest& request,
                         std::uint64_t seed = 1);
/// Of a network whose steps are set.
SmallPacked packed_of(train::LoadedNetwork trained);
train::LoadedNetwork calibrated(const graph::Graph& graph, const graph::BitRequest& request,
                                std::uint64_t seed);

/// A model whose numbers may be changed.
class Editable {
 public:
  explicit Editable(const format::PackedModel& model);
  format::PackedModel model;

  /// Numbers that the model shows, to be written. Throws std::invalid_argument where they are not
  /// its own.
  std::span<float> floats(std::span<const float> values);
  std::span<std::byte> bytes(std::span<const std::byte> values);

 private:
  std::span<const float> own(std::span<const float> values);
  std::deque<std::vector<float>> floats_;
  std::deque<std::vector<std::byte>> bytes_;
};

}  // namespace uniq::verify
