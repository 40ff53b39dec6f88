// Tensors in tests: from a safetensors file, and comparisons whose failure says where and how much.
#pragma once

#include <gtest/gtest.h>
#include <torch/types.h>

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

#include "uniq/format/safetensors.h"

namespace uniq::test {

/// A copy of the view, contiguous.
inline torch::Tensor to_tensor(const format::TensorView& view) {
  const bool is_integer = view.dtype == format::DType::i64;
  if (!is_integer && view.dtype != format::DType::f32)
    throw std::invalid_argument(view.name + ": only F32 and I64 are expected here");
  torch::Tensor tensor = torch::empty(view.shape, is_integer ? torch::kLong : torch::kFloat);
  if (tensor.nbytes() != view.bytes.size()) throw std::invalid_argument(view.name + ": size");
  std::memcpy(tensor.data_ptr(), view.bytes.data(), view.bytes.size());
  return tensor;
}

inline torch::Tensor read_tensor(const format::Safetensors& file, const std::string& name) {
  return to_tensor(file.at(name));
}

/// The values' bits as integers, so that -0 differs from 0.
inline torch::Tensor bit_patterns(const torch::Tensor& values) {
  switch (values.element_size()) {
    case 1:
      return values.contiguous().view(torch::kByte);
    case 2:
      return values.contiguous().view(torch::kShort);
    case 4:
      return values.contiguous().view(torch::kInt);
    default:
      return values.contiguous().view(torch::kLong);
  }
}

/// Type, shape and every bit are equal; a NaN equals any NaN. Strides may differ.
inline ::testing::AssertionResult same_bits(const torch::Tensor& actual,
                                            const torch::Tensor& expected) {
  if (actual.scalar_type() != expected.scalar_type() || actual.sizes() != expected.sizes())
    return ::testing::AssertionFailure()
           << actual.scalar_type() << " " << actual.sizes() << " against " << expected.scalar_type()
           << " " << expected.sizes();
  torch::Tensor differ = bit_patterns(actual) != bit_patterns(expected);
  if (expected.is_floating_point())
    differ = differ.logical_and(actual.isnan().logical_and(expected.isnan()).logical_not());
  if (!differ.any().item<bool>()) return ::testing::AssertionSuccess();
  const auto first = differ.flatten().nonzero()[0].item<std::int64_t>();
  return ::testing::AssertionFailure()
         << differ.sum().item<std::int64_t>() << " of " << differ.numel()
         << " differ, the first at " << first << ": " << actual.flatten()[first].item<double>()
         << " against " << expected.flatten()[first].item<double>();
}

/// |actual - expected| <= tolerance everywhere; a NaN fails.
inline ::testing::AssertionResult within(const torch::Tensor& actual, const torch::Tensor& expected,
                                         double tolerance) {
  if (actual.sizes() != expected.sizes())
    return ::testing::AssertionFailure() << actual.sizes() << " against " << expected.sizes();
  if (actual.numel() == 0) return ::testing::AssertionSuccess();
  const double worst =
      (actual.to(torch::kDouble) - expected.to(torch::kDouble)).abs().max().item<double>();
  if (worst <= tolerance) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "off by " << worst << ", allowed " << tolerance;
}

/// The same, the tolerance being a fraction of the largest magnitude that is expected.
inline ::testing::AssertionResult within_largest(const torch::Tensor& actual,
                                                 const torch::Tensor& expected, double fraction) {
  const double largest = expected.numel() == 0 ? 0.0 : expected.abs().max().item<double>();
  return within(actual, expected, fraction * largest);
}

/// |actual - expected| <= fraction * |expected| for each element.
inline ::testing::AssertionResult within_relative(const torch::Tensor& actual,
                                                  const torch::Tensor& expected, double fraction) {
  if (actual.sizes() != expected.sizes())
    return ::testing::AssertionFailure() << actual.sizes() << " against " << expected.sizes();
  const torch::Tensor a = actual.to(torch::kDouble), e = expected.to(torch::kDouble);
  if (((a - e).abs() <= fraction * e.abs()).all().item<bool>())
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << actual << "\nagainst\n"
                                       << expected << "\nallowed relative " << fraction;
}

}  // namespace uniq::test
