#include "uniq/nn/layers.h"

#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <torch/nn/init.h>

#include <cmath>
#include <variant>

#include "uniq/base/error.h"

namespace uniq::nn {
namespace {

using graph::ActivationRange;
using graph::Granularity;

std::vector<std::int64_t> both(const torch::ExpandingArray<2>& extent) {
  return {(*extent)[0], (*extent)[1]};
}

}  // namespace

void QuantLayer::build(const std::vector<std::int64_t>& weight_shape, bool with_bias,
                       const Quantization& quantization, const std::string& name) {
  std::int64_t fan_in = 1;
  for (std::size_t i = 1; i < weight_shape.size(); ++i) fan_in *= weight_shape[i];
  const double bound = 1.0 / std::sqrt(static_cast<double>(fan_in));
  weight = register_parameter("weight", at::empty(weight_shape));
  torch::nn::init::uniform_(weight, -bound, bound);
  if (with_bias) {
    bias = register_parameter("bias", at::empty({weight_shape[0]}));
    torch::nn::init::uniform_(bias, -bound, bound);
  }
  const graph::LayerBits& bits = quantization.bits;
  if (!bits.quantized()) return;
  quant::QuantizerOptions w;
  w.method = quantization.method;
  w.role = quant::Role::weight;
  w.bits = bits.weight_bits;
  w.grid = bits.weight_grid;
  w.steps = bits.granularity == Granularity::kernel ? weight_shape[0] : 1;
  w.name = name + " weights";
  quan_w_ = register_module("quan_w", quant::make_quantizer(w));
  quant::QuantizerOptions a;
  a.method = quantization.method;
  a.role = bits.range == ActivationRange::image ? quant::Role::image : quant::Role::activation;
  a.bits = bits.activation_bits;
  a.grid = bits.activation_grid;
  a.pact_alpha = quantization.pact_alpha;
  a.name = name + " activations";
  quan_a_ = register_module("quan_a", quant::make_quantizer(a));
}

bool QuantLayer::clips_at_zero() const {
  return quan_a_ && quan_a_->options().grid == Grid::unsigned_;
}

QuantConv2dImpl::QuantConv2dImpl(const torch::nn::Conv2dOptions& options,
                                 const Quantization& quantization, const std::string& name)
    : stride_(both(options.stride())),
      dilation_(both(options.dilation())),
      groups_(options.groups()) {
  const auto* padding = std::get_if<torch::ExpandingArray<2>>(&options.padding());
  if (padding == nullptr ||
      !std::holds_alternative<torch::enumtype::kZeros>(options.padding_mode()))
    throw UsageError({.what = "this padding has no quantized form",
                      .where = name,
                      .expected = "padding given in pixels, padding mode zeros"});
  padding_ = both(*padding);
  const std::vector<std::int64_t> kernel = both(options.kernel_size());
  build({options.out_channels(), options.in_channels() / groups_, kernel[0], kernel[1]},
        options.bias(), quantization, name);
}

torch::Tensor QuantConv2dImpl::forward(const torch::Tensor& x) {
  return at::conv2d(quantized_input(x), quantized_weight(), bias, stride_, padding_, dilation_,
                    groups_);
}

QuantLinearImpl::QuantLinearImpl(const torch::nn::LinearOptions& options,
                                 const Quantization& quantization, const std::string& name) {
  build({options.out_features(), options.in_features()}, options.bias(), quantization, name);
}

torch::Tensor QuantLinearImpl::forward(const torch::Tensor& x) {
  return at::linear(quantized_input(x), quantized_weight(), bias);
}

}  // namespace uniq::nn
