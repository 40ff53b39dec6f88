// Schemas, and every registration but the CPU's (cpu.cpp): autograd, meta, other devices. This
// library alone registers them, is shared and is never archived, so that Python can load it too.
#include "uniq/quant/ops.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "uniq/quant/arguments.h"
#include "uniq/quant/composite.h"

namespace uniq::quant {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

Tensor call_fake_quantize(const Tensor& x, const Tensor& step, std::int64_t bits,
                          c10::string_view grid, double grad_scale) {
  static const auto op =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("uniq::fake_quantize", "")
          .typed<Tensor(const Tensor&, const Tensor&, std::int64_t, c10::string_view, double)>();
  return op.call(x, step, bits, grid, grad_scale);
}

Tensor call_quantize(const Tensor& x, const Tensor& step, std::int64_t bits,
                     c10::string_view grid) {
  static const auto op =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("uniq::quantize", "")
          .typed<Tensor(const Tensor&, const Tensor&, std::int64_t, c10::string_view)>();
  return op.call(x, step, bits, grid);
}

std::tuple<Tensor, Tensor> call_backward(const Tensor& gy, const Tensor& x, const Tensor& step,
                                         std::int64_t bits, c10::string_view grid,
                                         double grad_scale) {
  static const auto op =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("uniq::fake_quantize_backward", "")
          .typed<std::tuple<Tensor, Tensor>(const Tensor&, const Tensor&, const Tensor&,
                                            std::int64_t, c10::string_view, double)>();
  return op.call(gy, x, step, bits, grid, grad_scale);
}

struct FakeQuantize : torch::autograd::Function<FakeQuantize> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& step,
                        std::int64_t bits, const std::string& grid, double grad_scale) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    ctx->save_for_backward({x, step});
    ctx->saved_data["bits"] = bits;
    ctx->saved_data["grid"] = grid;
    ctx->saved_data["grad_scale"] = grad_scale;
    return call_fake_quantize(x, step, bits, grid, grad_scale);
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const at::AutoDispatchBelowADInplaceOrView guard;
    auto [gx, gstep] = call_backward(
        gradients[0], saved[0], saved[1], ctx->saved_data["bits"].toInt(),
        ctx->saved_data["grid"].toStringView(), ctx->saved_data["grad_scale"].toDouble());
    return {gx, gstep, Tensor(), Tensor(), Tensor()};
  }
};

Tensor fake_quantize_autograd(const Tensor& x, const Tensor& step, std::int64_t bits,
                              c10::string_view grid, double grad_scale) {
  return FakeQuantize::apply(x, step, bits, std::string(grid), grad_scale);
}

Tensor fake_quantize_meta(const Tensor& x, const Tensor& step, std::int64_t bits,
                          c10::string_view grid, double /*grad_scale*/) {
  checked_grid(grid, bits);
  check_shapes(x, step);
  return at::empty_like(x);
}

Tensor quantize_meta(const Tensor& x, const Tensor& step, std::int64_t bits,
                     c10::string_view grid) {
  checked_grid(grid, bits);
  check_shapes(x, step);
  return at::empty_like(x, x.options().dtype(at::kByte));
}

std::tuple<Tensor, Tensor> fake_quantize_backward_meta(const Tensor& /*gy*/, const Tensor& x,
                                                       const Tensor& step, std::int64_t bits,
                                                       c10::string_view grid,
                                                       double /*grad_scale*/) {
  checked_grid(grid, bits);
  check_shapes(x, step);
  return {at::empty_like(x), at::empty_like(step)};
}

Tensor fake_quantize_any(const Tensor& x, const Tensor& step, std::int64_t bits,
                         c10::string_view grid, double /*grad_scale*/) {
  return composite::fake_quantize(x, step, static_cast<int>(bits), checked_grid(grid, bits));
}

Tensor quantize_any(const Tensor& x, const Tensor& step, std::int64_t bits, c10::string_view grid) {
  return composite::quantize(x, step, static_cast<int>(bits), checked_grid(grid, bits));
}

std::tuple<Tensor, Tensor> fake_quantize_backward_any(const Tensor& gy, const Tensor& x,
                                                      const Tensor& step, std::int64_t bits,
                                                      c10::string_view grid, double grad_scale) {
  return composite::fake_quantize_backward(gy, x, step, static_cast<int>(bits),
                                           checked_grid(grid, bits), grad_scale);
}

}  // namespace

TORCH_LIBRARY(uniq, m) {
  m.def("fake_quantize(Tensor x, Tensor step, int bits, str grid, float grad_scale) -> Tensor");
  m.def("quantize(Tensor x, Tensor step, int bits, str grid) -> Tensor");
  m.def(
      "fake_quantize_backward(Tensor gy, Tensor x, Tensor step, int bits, str grid, "
      "float grad_scale) -> (Tensor, Tensor)");
}

TORCH_LIBRARY_IMPL(uniq, Autograd, m) { m.impl("fake_quantize", fake_quantize_autograd); }

TORCH_LIBRARY_IMPL(uniq, Meta, m) {
  m.impl("fake_quantize", fake_quantize_meta);
  m.impl("fake_quantize_backward", fake_quantize_backward_meta);
  m.impl("quantize", quantize_meta);
}

TORCH_LIBRARY_IMPL(uniq, CompositeExplicitAutograd, m) {
  m.impl("fake_quantize", fake_quantize_any);
  m.impl("fake_quantize_backward", fake_quantize_backward_any);
  m.impl("quantize", quantize_any);
}

Tensor fake_quantize(const Tensor& x, const Tensor& step, int bits, Grid grid, double grad_scale) {
  return call_fake_quantize(x, step, bits, grid_name(grid), grad_scale);
}

Tensor quantize(const Tensor& x, const Tensor& step, int bits, Grid grid) {
  return call_quantize(x, step, bits, grid_name(grid));
}

std::tuple<Tensor, Tensor> fake_quantize_backward(const Tensor& gy, const Tensor& x,
                                                  const Tensor& step, int bits, Grid grid,
                                                  double grad_scale) {
  return call_backward(gy, x, step, bits, grid_name(grid), grad_scale);
}

}  // namespace uniq::quant
