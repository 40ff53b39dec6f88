// A packed node as the training network computes it, for some pictures.
#pragma once

#include <optional>
#include <span>

#include "uniq/verify/bounds.h"
#include "uniq/verify/conv_truth.h"
#include "uniq/verify/trained.h"
#include "uniq/verify/wiring.h"

namespace uniq::verify {

class NodeTruth {
 public:
  /// Of the pictures that `trained` ran last; both must outlive it.
  NodeTruth(const Trained& trained, const Wiring& wiring, std::size_t node);

  /// Of a convolution of codes: the exact integer sums, double, [pictures, height, width,
  /// channels]; else undefined.
  const at::Tensor& sums() const { return sums_; }

  /// How far the node's core and its outputs may be from the training network's values, its inputs
  /// being as far as `inputs` say: of an encoded input only `spoiled` counts, codes that differ.
  Deviation core(std::span<const Deviation> inputs) const;
  Deviation output(std::size_t output, const Deviation& core) const;

 private:
  Deviation behind_conv(std::span<const Deviation> inputs) const;

  const Trained& trained_;
  const Wiring& wiring_;
  std::size_t node_;
  std::optional<ConvTruth> conv_;
  at::Tensor sums_;
};

}  // namespace uniq::verify
