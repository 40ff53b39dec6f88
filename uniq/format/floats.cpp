#include "uniq/format/floats.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace uniq::format {
namespace {

/// IEEE 754 binary16: sign, 5 bits of exponent, 10 of mantissa.
float from_half(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000u) << 16;
  const std::uint32_t exponent = half >> 10 & 0x1fu;
  const std::uint32_t mantissa = half & 0x3ffu;
  if (exponent == 0) {  // zero, or subnormal: mantissa * 2^-24
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
  }
  const std::uint32_t widened = exponent == 0x1f ? 0xffu : exponent + (127 - 15);
  return std::bit_cast<float>(sign | widened << 23 | mantissa << 13);
}

/// The upper half of an fp32.
float from_bfloat16(std::uint16_t upper) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(upper) << 16);
}

/// The file's data need not be aligned.
template <class Number>
Number read(const TensorView& tensor, std::size_t index) {
  Number number;
  std::memcpy(&number, tensor.bytes.data() + index * sizeof number, sizeof number);
  return number;
}

}  // namespace

bool widens_to_float(DType dtype) {
  return dtype == DType::f32 || dtype == DType::f16 || dtype == DType::bf16;
}

float float_at(const TensorView& tensor, std::size_t index) {
  if (tensor.dtype == DType::f32) return read<float>(tensor, index);
  const auto bits = read<std::uint16_t>(tensor, index);
  return tensor.dtype == DType::f16 ? from_half(bits) : from_bfloat16(bits);
}

std::vector<float> to_floats(const TensorView& tensor) {
  std::vector<float> values(tensor.bytes.size() / dtype_size(tensor.dtype));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = float_at(tensor, i);
  return values;
}

}  // namespace uniq::format
