// The training network's values in the packed network's terms: its values by number, pixels with
// their channels together.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "uniq/grid/grid.h"
#include "uniq/verify/bounds.h"
#include "uniq/verify/trained.h"
#include "uniq/verify/wiring.h"

namespace uniq::verify {

/// From [pictures, channels, height, width] to [pictures, height, width, channels] in memory.
inline at::Tensor by_pixel(const at::Tensor& x) { return x.permute({0, 2, 3, 1}).contiguous(); }
/// The way back.
inline at::Tensor by_channel_map(const at::Tensor& x) { return x.permute({0, 3, 1, 2}); }

/// What a value of the packed network stands for; tensors by_pixel.
struct ValueTruth {
  at::Tensor value;  ///< fp32
  at::Tensor codes;  ///< uint8, as the reader's quantizer gives them; undefined: an fp32 value
  // Of that quantizer.
  int bits = 0;
  Grid grid = Grid::unsigned_;
  float step = 0.0f;
  std::string reader;  ///< its layer

  bool is_codes() const { return bits != 0; }
};

/// All values, for the pictures that `trained` ran last.
std::vector<ValueTruth> value_truths(const Trained& trained, const Wiring& wiring);

/// What is compared with: a value's truth, and how far the packed network's may be from it.
struct OutputTruth {
  OutputTruth(const ValueTruth& value_truth, const Deviation& deviation);
  const ValueTruth& truth;
  at::Tensor bound;    ///< double, by_pixel
  at::Tensor spoiled;  ///< bool, by_pixel; undefined: nowhere
};

}  // namespace uniq::verify
