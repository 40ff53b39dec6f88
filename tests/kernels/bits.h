// Floats compared bit for bit.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <random>
#include <vector>

namespace uniq::kernels {

inline std::vector<std::uint32_t> bits_of(const std::vector<float>& values) {
  std::vector<std::uint32_t> bits;
  bits.reserve(values.size());
  for (const float value : values) bits.push_back(std::bit_cast<std::uint32_t>(value));
  return bits;
}

/// Numbers of both signs around 1, and now and then a zero of either sign, a huge or a tiny one.
inline float any_float(std::mt19937& random) {
  constexpr float kSpecial[] = {0.0f, -0.0f, 3e38f, -3e38f, 1e-40f, -1e-40f, 6.0f, 5.9999995f};
  if (random() % 8 == 0) return kSpecial[random() % std::size(kSpecial)];
  return std::normal_distribution<float>(0.0f, 2.0f)(random);
}

inline std::vector<float> any_floats(std::int64_t count, std::mt19937& random) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = any_float(random);
  return values;
}

}  // namespace uniq::kernels
