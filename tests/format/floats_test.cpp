#include "uniq/format/floats.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace uniq::format {
namespace {

/// What IEEE 754 says of a binary format of so many bits of exponent and mantissa, in double.
double value_of(std::uint32_t bits, int exponent_bits, int mantissa_bits) {
  const auto mantissa = static_cast<double>(bits & ((1u << mantissa_bits) - 1));
  const int largest = (1 << exponent_bits) - 1;
  const int exponent = static_cast<int>(bits >> mantissa_bits) & largest;
  const int bias = largest / 2;
  const double sign = bits >> (exponent_bits + mantissa_bits) != 0 ? -1.0 : 1.0;
  if (exponent == largest) return mantissa != 0.0 ? NAN : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(mantissa, 1 - bias - mantissa_bits);
  return sign *
         std::ldexp(mantissa + std::ldexp(1.0, mantissa_bits), exponent - bias - mantissa_bits);
}

TEST(Floats, EveryNumberOf16BitsWidensExactly) {
  std::vector<std::uint16_t> all(65536);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint16_t>(i);
  for (const auto& [dtype, exponent_bits, mantissa_bits] :
       {std::tuple{DType::f16, 5, 10}, std::tuple{DType::bf16, 8, 7}}) {
    const TensorView tensor{
        .name = "x", .dtype = dtype, .shape = {65536}, .bytes = std::as_bytes(std::span(all))};
    const std::vector<float> floats = to_floats(tensor);
    ASSERT_EQ(floats.size(), 65536u);
    for (std::uint32_t i = 0; i < 65536; ++i) {
      const double expected = value_of(i, exponent_bits, mantissa_bits);
      if (std::isnan(expected)) {
        EXPECT_TRUE(std::isnan(floats[i])) << i;
      } else {
        EXPECT_EQ(static_cast<double>(floats[i]), expected) << i;
        EXPECT_EQ(std::signbit(floats[i]), i >> 15 != 0) << i;
      }
    }
  }
}

TEST(Floats, Of32BitsAreThemselvesWhereverTheyLie) {
  const std::vector<float> values = {0.0f, -0.0f, 1.5f, -INFINITY, 1e-45f};
  std::vector<std::byte> bytes(1 + values.size() * sizeof(float));
  std::ranges::copy(std::as_bytes(std::span(values)), bytes.begin() + 1);
  const TensorView tensor{
      .name = "x", .dtype = DType::f32, .shape = {5}, .bytes = std::span(bytes).subspan(1)};
  const std::vector<float> floats = to_floats(tensor);
  ASSERT_EQ(floats.size(), values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(std::bit_cast<std::uint32_t>(floats[i]), std::bit_cast<std::uint32_t>(values[i]));
    EXPECT_EQ(std::bit_cast<std::uint32_t>(float_at(tensor, i)),
              std::bit_cast<std::uint32_t>(values[i]));
  }
}

TEST(Floats, OnlyTypesWithoutRounding) {
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16})
    EXPECT_TRUE(widens_to_float(dtype));
  for (const DType dtype :
       {DType::f64, DType::i64, DType::i32, DType::i16, DType::i8, DType::u8, DType::boolean})
    EXPECT_FALSE(widens_to_float(dtype));
}

}  // namespace
}  // namespace uniq::format
