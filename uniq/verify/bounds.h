// How far roundings can carry the packed network's values from the training network's, in double.
// docs/verify.md derives every formula; nothing here is from trial.
//
// Tensors are [pictures, channels, height, width].
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "uniq/graph/graph.h"

namespace uniq::verify {

/// u: the largest relative error of one rounding to fp32.
inline constexpr double kUnit = 0x1p-24;
/// What a rounding below the normal numbers can add; twice its largest error.
inline constexpr double kTiny = 0x1p-149;
/// For the roundings of the bounds' own arithmetic, in double.
inline constexpr double kSlack = 1.0 + 0x1p-30;

/// (1 - u)^-n - 1: the largest relative error of n roundings, for any n. For n u < 1 it is at most
/// n u / (1 - n u) (Higham, Accuracy and Stability of Numerical Algorithms, lemma 3.1).
double gamma_of(std::int64_t roundings);

/// What is known of a value of the packed network beside the training network's.
struct Deviation {
  at::Tensor bound;    ///< double: largest difference where not spoiled; undefined: none
  at::Tensor spoiled;  ///< bool: differing codes were read on the way; undefined: nowhere
};

/// A batch norm as y = (x - mean) * factor + shift, factor = weight / sqrt(variance + eps); double,
/// [1, channels, 1, 1].
struct Norm {
  at::Tensor factor;
  at::Tensor mean;
  at::Tensor shift;
  /// |mean * factor| + |shift|.
  at::Tensor offsets() const { return (mean * factor).abs() + shift.abs(); }
};

/// Bound on the error of the training network's batch norm itself, whose input is x.
at::Tensor norm_error(const Norm& norm, const at::Tensor& x);

/// Behind a batch norm that one has as a stage; x: the training network's input of it, as below.
Deviation behind_norm(const Norm& norm, const at::Tensor& x, const Deviation& before);

/// Behind a clamp to lowest..highest (a ReLU's highest is infinite).
Deviation behind_clamp(double lowest, double highest, const at::Tensor& x, const Deviation& before);

/// Behind an addition that both do in fp32; `sum`: the training network's.
Deviation behind_add(const Deviation& a, const Deviation& b, const at::Tensor& sum);

struct PoolWindow {
  graph::Extent kernel;
  graph::Extent stride;
  graph::Extent padding;
};
Deviation behind_max_pool(const PoolWindow& window, const Deviation& before);
Deviation behind_average_pool(const PoolWindow& window, const at::Tensor& x,
                              const Deviation& before);

/// From maps to [pictures, channels * height * width, 1, 1].
Deviation behind_flatten(const Deviation& before);

/// Whether either is set; undefined: nowhere.
at::Tensor either(const at::Tensor& a, const at::Tensor& b);

inline std::vector<std::int64_t> both(const graph::Extent& extent) {
  return {extent.height, extent.width};
}

}  // namespace uniq::verify
