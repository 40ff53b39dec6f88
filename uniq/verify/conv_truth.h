// A convolution or linear layer as the training network computes it: its exact integer sums, and
// how far the packed network may be from its values.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "uniq/verify/bounds.h"
#include "uniq/verify/trained.h"

namespace uniq::verify {

class ConvTruth {
 public:
  /// Of the pictures that `trained` ran last. `norm`: the batch norm that packing folded into the
  /// layer.
  ConvTruth(const Trained& trained, graph::NodeId layer, std::optional<graph::NodeId> norm);

  /// Of codes: sums of integer(weight code) * integer(activation code), in double and exact;
  /// undefined for fp32 layers.
  const at::Tensor& sums() const { return sums_; }

  /// Behind the layer and its batch norm, without a residual.
  Deviation behind(const Deviation& input) const;

 private:
  void read_geometry(const graph::Node& layer);
  void read_codes(const nn::QuantLayer& layer, const at::Tensor& input);
  void read_values(const nn::QuantLayer& layer, const at::Tensor& input);
  at::Tensor convolve(const at::Tensor& x, const at::Tensor& weights) const;
  at::Tensor any_inside(const at::Tensor& marked) const;

  std::vector<std::int64_t> kernel_, stride_, padding_, dilation_;
  std::int64_t groups_ = 1;
  std::int64_t group_out_ = 1;
  std::int64_t terms_ = 1;  ///< of a sum
  at::Tensor sums_;
  at::Tensor unit_;         ///< of one in the sum; [1, 1 or channels, 1, 1]
  at::Tensor weights_;      ///< fp32 layers: magnitudes, double
  at::Tensor magnitude_;    ///< sum of |x| |w|
  at::Tensor bias_;         ///< magnitude, [1, channels, 1, 1]
  double underflow_ = 0.0;  ///< of the training network's layer
  at::Tensor value_;        ///< the training network's layer
  std::optional<Norm> norm_;
};

}  // namespace uniq::verify
