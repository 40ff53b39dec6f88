#include "uniq/verify/bounds.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/max_pool2d.h>

#include <cmath>

namespace uniq::verify {

double gamma_of(std::int64_t roundings) {
  return std::expm1(-static_cast<double>(roundings) * std::log1p(-kUnit));
}

at::Tensor either(const at::Tensor& a, const at::Tensor& b) {
  if (!a.defined()) return b;
  return b.defined() ? a.logical_or(b) : a;
}

at::Tensor norm_error(const Norm& norm, const at::Tensor& x) {
  const at::Tensor size = x.to(at::kDouble).abs();
  return gamma_of(8) * (norm.factor.abs() * size + norm.offsets()) +
         kTiny * (size + norm.mean.abs() + 3.0);
}

Deviation behind_norm(const Norm& norm, const at::Tensor& x, const Deviation& before) {
  const at::Tensor size = x.to(at::kDouble).abs();
  const at::Tensor factor = norm.factor.abs();
  at::Tensor bound =
      norm_error(norm, x) + gamma_of(3) * (factor * size + norm.offsets()) + kTiny * (size + 2.0);
  if (before.bound.defined()) bound = bound + ((1.0 + gamma_of(3)) * factor + kTiny) * before.bound;
  return {bound, before.spoiled};
}

Deviation behind_clamp(double lowest, double highest, const at::Tensor& x,
                       const Deviation& before) {
  if (!before.bound.defined()) return before;
  const at::Tensor value = x.to(at::kDouble);
  // Twice the bound, so that this comparison's own rounding does not matter.
  const at::Tensor is_clamped =
      (value + 2.0 * before.bound <= lowest).logical_or(value - 2.0 * before.bound >= highest);
  return {before.bound.masked_fill(is_clamped, 0.0), before.spoiled};
}

Deviation behind_add(const Deviation& a, const Deviation& b, const at::Tensor& sum) {
  const at::Tensor spoiled = either(a.spoiled, b.spoiled);
  if (!a.bound.defined() && !b.bound.defined()) return {{}, spoiled};  // the same addition
  at::Tensor bound = a.bound.defined() ? a.bound : b.bound;
  if (a.bound.defined() && b.bound.defined()) bound = a.bound + b.bound;
  const at::Tensor rounded = (1.0 + kUnit) * bound + gamma_of(2) * sum.to(at::kDouble).abs();
  return {rounded.masked_fill(bound == 0.0, 0.0), spoiled};
}

Deviation behind_max_pool(const PoolWindow& window, const Deviation& before) {
  const auto pool = [&window](const at::Tensor& x) {
    return at::max_pool2d(x, both(window.kernel), both(window.stride), both(window.padding));
  };
  Deviation after;
  if (before.bound.defined()) after.bound = pool(before.bound);
  if (before.spoiled.defined()) after.spoiled = pool(before.spoiled.to(at::kFloat)) > 0;
  return after;
}

Deviation behind_average_pool(const PoolWindow& window, const at::Tensor& x,
                              const Deviation& before) {
  const auto pool = [&window](const at::Tensor& values) {
    return at::avg_pool2d(values, both(window.kernel), both(window.stride), both(window.padding));
  };
  const std::int64_t size = window.kernel.height * window.kernel.width;
  at::Tensor magnitude = x.to(at::kDouble).abs();
  if (before.bound.defined()) magnitude = magnitude + before.bound;
  Deviation after;
  after.bound = gamma_of(2 * size + 1) * pool(magnitude) + 2.0 * kTiny;
  if (before.bound.defined()) after.bound = after.bound + pool(before.bound);
  if (before.spoiled.defined()) after.spoiled = pool(before.spoiled.to(at::kFloat)) > 0;
  return after;
}

Deviation behind_flatten(const Deviation& before) {
  const auto flat = [](const at::Tensor& x) {
    return x.defined() ? x.flatten(1).unsqueeze(-1).unsqueeze(-1) : x;
  };
  return {flat(before.bound), flat(before.spoiled)};
}

}  // namespace uniq::verify
