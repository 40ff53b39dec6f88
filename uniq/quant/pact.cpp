#include "uniq/quant/pact.h"

#include <ATen/ops/full.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include "uniq/base/error.h"
#include "uniq/quant/ops.h"

namespace uniq::quant {
namespace {

struct PactFunction : torch::autograd::Function<PactFunction> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& alpha, const at::Tensor& step, std::int64_t bits) {
    context->save_for_backward({x, alpha});
    return fake_quantize(x, step, static_cast<int>(bits), Grid::unsigned_, 1.0);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor& gy = gradients[0];
    const at::Tensor& x = saved[0];
    const at::Tensor& alpha = saved[1];
    // By x, not by u = x / step, whose rounding could give the bound itself to both.
    const at::Tensor above = x >= alpha;
    const at::Tensor inside = (x > 0).logical_and_(above.logical_not());
    const at::Tensor gx = at::where(inside, gy, at::zeros_like(gy));
    const at::Tensor galpha = (gy * above).sum().reshape(alpha.sizes());
    return {gx, galpha, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

PactActivation::PactActivation(QuantizerOptions options) : Quantizer(std::move(options)) {
  const auto& o = this->options();
  if (o.grid != Grid::unsigned_)
    throw UsageError({.what = "PACT has no grid for signed activations",
                      .where = o.name,
                      .remedy = "method uniq or lsq, or an override to fp32 for this layer"});
  alpha_ = register_parameter("alpha", at::full({1}, o.pact_alpha, at::kFloat));
}

torch::Tensor PactActivation::step(const torch::Tensor& /*x*/) const {
  return alpha_.detach() / static_cast<double>(max_code(options().bits));
}

torch::Tensor PactActivation::fake_quantize(const torch::Tensor& x) {
  return PactFunction::apply(x, alpha_, step(x), options().bits);
}

}  // namespace uniq::quant
