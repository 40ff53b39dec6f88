#include "uniq/verify/conv_truth.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

namespace uniq::verify {
namespace {

/// A linear layer's weights as those of a 1x1 convolution.
at::Tensor as_kernel(const at::Tensor& weights) {
  return weights.dim() == 2 ? weights.unsqueeze(-1).unsqueeze(-1) : weights;
}

double largest(const at::Tensor& magnitudes) { return magnitudes.max().item<double>(); }

}  // namespace

ConvTruth::ConvTruth(const Trained& trained, graph::NodeId layer, std::optional<graph::NodeId> norm)
    : value_(trained.value(layer)) {
  const nn::QuantLayer& module = trained.layer(layer);
  const at::Tensor weight = as_kernel(module.weight.detach());
  terms_ = weight.numel() / weight.size(0);
  kernel_ = {weight.size(2), weight.size(3)};
  read_geometry(trained.graph().node(layer));
  group_out_ = weight.size(0) / groups_;
  bias_ = module.bias.defined() ? module.bias.detach().to(at::kDouble).abs().reshape({1, -1, 1, 1})
                                : at::zeros({1, weight.size(0), 1, 1}, at::kDouble);
  if (norm) norm_ = trained.norm(*norm);
  if (module.activation_quantizer()) {
    read_codes(module, trained.input(layer));
  } else {
    read_values(module, trained.input(layer));
  }
}

void ConvTruth::read_geometry(const graph::Node& layer) {
  const graph::Conv2d defaults;
  const auto* conv = layer.as<graph::Conv2d>();
  const graph::Conv2d& shape = conv == nullptr ? defaults : *conv;
  stride_ = both(shape.stride);
  padding_ = both(shape.padding);
  dilation_ = both(shape.dilation);
  groups_ = shape.groups;
}

at::Tensor ConvTruth::convolve(const at::Tensor& x, const at::Tensor& weights) const {
  return at::conv2d(x, weights, {}, stride_, padding_, dilation_, groups_);
}

// Integers: below 2^53, so that double sums are exact in any order. Outside the picture stands the
// value 0.0, whose integer is 0 on every grid.
void ConvTruth::read_codes(const nn::QuantLayer& layer, const at::Tensor& input) {
  const quant::Quantizer& weights = *layer.weight_quantizer();
  const quant::Quantizer& activations = *layer.activation_quantizer();
  const at::Tensor w = as_kernel(integers(weights.codes(layer.weight), weights.options()));
  const at::Tensor x = integers(activations.codes(input), activations.options());
  const at::Tensor weight_units = units(weights.step(layer.weight), weights.options());
  const double activation_unit =
      units(activations.step(input), activations.options()).item<double>();
  unit_ = weight_units.reshape({1, -1, 1, 1}) * activation_unit;
  sums_ = convolve(x, w);
  magnitude_ = convolve(x.abs(), w.abs()) * unit_;
  underflow_ =
      kTiny * static_cast<double>(terms_) *
      (1.0 + largest(weight_units) * largest(w.abs()) + activation_unit * largest(x.abs()));
}

void ConvTruth::read_values(const nn::QuantLayer& layer, const at::Tensor& input) {
  weights_ = as_kernel(layer.weight.detach().to(at::kDouble).abs());
  magnitude_ = convolve(input.to(at::kDouble).abs(), weights_);
  underflow_ = kTiny * static_cast<double>(terms_);
}

at::Tensor ConvTruth::any_inside(const at::Tensor& marked) const {
  const at::Tensor by_group =
      marked.unflatten(1, {groups_, marked.size(1) / groups_}).any(2).to(at::kFloat);
  const at::Tensor window = at::ones({groups_, 1, kernel_[0], kernel_[1]});
  const at::Tensor found =
      at::conv2d(by_group, window, {}, stride_, padding_, dilation_, groups_) > 0;
  return found.repeat_interleave(group_out_, 1);
}

Deviation ConvTruth::behind(const Deviation& input) const {
  const bool of_codes = sums_.defined();
  at::Tensor size = magnitude_;  // of the packed network's sum
  at::Tensor spread;             // what its fp32 input may differ by
  if (!of_codes && input.bound.defined()) {
    spread = convolve(input.bound, weights_);
    size = size + spread;
  }
  // The training network: terms of two dequantized operands, summed in any order, and the bias.
  at::Tensor trained = gamma_of(terms_ + (of_codes ? 3 : 1)) * (magnitude_ + bias_) + underflow_;
  // The packed one: fma(sum, scale, bias), both parameters rounded once.
  at::Tensor packed = of_codes ? unit_ * sums_.abs() : size;
  at::Tensor offsets = bias_;
  if (norm_) {
    const at::Tensor factor = norm_->factor.abs();
    trained = factor * trained + norm_error(*norm_, value_);
    packed = factor * packed;
    offsets = factor * bias_ + norm_->offsets();
    if (spread.defined()) spread = factor * spread;
  }
  const std::int64_t roundings = of_codes ? 4 : terms_ + 3;
  const double most = of_codes ? largest(sums_.abs()) : largest(size);
  at::Tensor bound = trained + gamma_of(roundings) * (packed + offsets) + kTiny * (most + 2.0);
  if (spread.defined()) bound = bound + spread;
  return {bound, input.spoiled.defined() ? any_inside(input.spoiled) : at::Tensor()};
}

}  // namespace uniq::verify
