// Comparisons of what the packed network computed, a row of a value at a time.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "uniq/verify/report.h"
#include "uniq/verify/value_truth.h"

namespace uniq::verify {

/// Pictures of a batch as bytes, [count][height][width][channels].
struct Pictures {
  const std::uint8_t* bytes = nullptr;
  std::int64_t picture_bytes = 0;
  std::int64_t count = 0;
  std::int64_t first = 0;  ///< number of the first of them among all
  const std::uint8_t* at(std::int64_t picture) const { return bytes + picture * picture_bytes; }
};

/// What is compared, for the failure's text.
struct Scene {
  Proof proof = Proof::layers;
  std::string layer;
  std::string kernel;
  std::int64_t first_picture = 0;  ///< of all pictures, the batch's first
};

/// A row of elements [columns][channels] of a value [pictures, height, width, channels].
struct Row {
  std::int64_t picture = 0;  ///< of the batch
  std::int64_t row = 0;
  std::int64_t height = 0;
  std::int64_t columns = 0;
  std::int64_t channels = 0;
  std::int64_t size() const { return columns * channels; }
  std::int64_t first() const { return (picture * height + row) * size(); }
};

/// Integer sums [columns][channels], in 32 bits or in 64, against the exact ones
/// (NodeTruth::sums).
template <class Integer>
std::optional<Failure> check_sums(const Scene& scene, const Row& row, const Integer* sums,
                                  const at::Tensor& expected);

/// fp32 values [columns][channels], spoiled ones left out, against the training network's; of a
/// value that is encoded, before that.
std::optional<Failure> check_values(const Scene& scene, const Row& row, const float* values,
                                    const OutputTruth& expected, Compared& compared);

/// Codes [columns][channels]. One that differs must be within its bound of a
/// threshold unless it is spoiled. `differs`, where given, becomes what is unequal.
std::optional<Failure> check_codes(const Scene& scene, const Row& row, const std::uint8_t* codes,
                                   const OutputTruth& expected, Compared& compared,
                                   bool* differs = nullptr);

/// Two networks' classes of a picture: the first of their largest logits.
enum class ClassComparison {
  same,     ///< and no other is as large within the bounds
  tied,     ///< the training network's largest logit is above others by no more than their bounds
            ///< together, and the packed network's class is it or one of those
  differs,  ///< none of these
};
/// Logits [classes] of the packed network, and the training network's with the bounds between them.
ClassComparison compare_classes(std::span<const float> logits, std::span<const float> trained,
                                std::span<const double> bounds);

/// The part of its bound that a difference takes; 0 of 0 is 0, a NaN infinite.
double share_of_bound(double value, double expected, double bound);

}  // namespace uniq::verify
