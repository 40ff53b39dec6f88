// Inputs for the tests of the operators, and the operators as the dispatcher knows them.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/types.h>

#include <cmath>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "tests/quant/scalar.h"

namespace uniq::test {

/// uniq::fake_quantize as any program calls it: by its name.
inline torch::Tensor call_fake_quantize(const torch::Tensor& x, const torch::Tensor& step,
                                        std::int64_t bits, const std::string& grid,
                                        double grad_scale = 1.0) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("uniq::fake_quantize", "")
                             .typed<at::Tensor(const at::Tensor&, const at::Tensor&, std::int64_t,
                                               c10::string_view, double)>();
  return op.call(x, step, bits, grid, grad_scale);
}

inline torch::Tensor call_quantize(const torch::Tensor& x, const torch::Tensor& step,
                                   std::int64_t bits, const std::string& grid) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("uniq::quantize", "")
                             .typed<at::Tensor(const at::Tensor&, const at::Tensor&, std::int64_t,
                                               c10::string_view)>();
  return op.call(x, step, bits, grid);
}

inline std::tuple<torch::Tensor, torch::Tensor> call_backward(
    const torch::Tensor& gy, const torch::Tensor& x, const torch::Tensor& step, std::int64_t bits,
    const std::string& grid, double grad_scale = 1.0) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("uniq::fake_quantize_backward", "")
                             .typed<std::tuple<at::Tensor, at::Tensor>(
                                 const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                 std::int64_t, c10::string_view, double)>();
  return op.call(gy, x, step, bits, grid, grad_scale);
}

/// Values that spread over all codes and past both ends, with ties, bounds and, where there is
/// room, infinities, zeros of both signs, a denormal and the largest finite number among them.
inline torch::Tensor spread_values(at::IntArrayRef sizes, float step, const GridCase& c) {
  const float z = offset_of(c.grid, c.bits);
  const int m = largest_code(c.bits);
  torch::Tensor x = torch::randn(sizes) * (0.4 * (m + 1)) + (z + 0.5 * m);
  torch::Tensor flat = x.flatten();
  float* values = flat.data_ptr<float>();
  for (std::int64_t i = 0; i < flat.numel(); ++i) {
    if (i % 5 == 3) values[i] = 0.5f * static_cast<float>(i % (2 * m + 5) - 2) + z;
    values[i] *= step;
  }
  constexpr float kInf = std::numeric_limits<float>::infinity();
  constexpr float kSpecial[] = {kInf,
                                -kInf,
                                0.0f,
                                -0.0f,
                                std::numeric_limits<float>::denorm_min(),
                                std::numeric_limits<float>::max()};
  constexpr std::int64_t kCount = std::size(kSpecial);
  for (std::int64_t i = 0; i < kCount && flat.numel() > 4 * kCount; ++i)
    values[3 * i + 1] = kSpecial[i];
  return flat.reshape(sizes);
}

/// A tensor in some memory layout; the name is for messages.
struct Layout {
  std::string name;
  torch::Tensor tensor;
};

/// The values of x [n, c, h, w] in every layout that ends differently in the kernels.
inline std::vector<Layout> layouts_of(const torch::Tensor& x) {
  const auto n = x.size(0), c = x.size(1), h = x.size(2), w = x.size(3);
  const torch::Tensor wide = torch::zeros({n, c, h, 2 * w}, x.options());
  wide.slice(3, 0, 2 * w, 2).copy_(x);
  const torch::Tensor deep =
      torch::zeros({n, c + 3, h, w}, x.options()).contiguous(at::MemoryFormat::ChannelsLast);
  deep.slice(1, 1, c + 1).copy_(x);
  const torch::Tensor swapped = torch::empty({c, n, h, w}, x.options()).transpose(0, 1).copy_(x);
  const torch::Tensor turned = torch::empty({n, c, w, h}, x.options()).transpose(2, 3).copy_(x);
  const torch::Tensor swapped_wide = torch::zeros({c, n, h, 2 * w}, x.options()).transpose(0, 1);
  swapped_wide.slice(3, 0, 2 * w, 2).copy_(x);
  return {
      {"contiguous", x.contiguous()},
      {"channels-last", x.contiguous(at::MemoryFormat::ChannelsLast)},
      {"every other column", wide.slice(3, 0, 2 * w, 2)},
      {"channels-last, some channels", deep.slice(1, 1, c + 1)},
      {"first two dimensions swapped", swapped},
      {"last two dimensions swapped", turned},
      {"swapped, every other column", swapped_wide.slice(3, 0, 2 * w, 2)},
  };
}

inline const std::vector<torch::ScalarType>& float_types() {
  static const std::vector<torch::ScalarType> types = {torch::kFloat, torch::kBFloat16,
                                                       torch::kHalf, torch::kDouble};
  return types;
}

/// Around the vectors of 16 and the blocks of 8192.
inline const std::vector<std::int64_t>& border_sizes() {
  static const std::vector<std::int64_t> sizes = {0,  1,  15,   16,   17,   31,   32,
                                                  33, 64, 8191, 8192, 8193, 8209, 16385};
  return sizes;
}

}  // namespace uniq::test
