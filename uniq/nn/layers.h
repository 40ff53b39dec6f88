// Quantized convolution and linear layers, for any LibTorch module and for graphs (graph_module.h).
// Parameters are named as in PyTorch: weight, bias, and quan_w.*, quan_a.* for what is learned of
// the quantizers. fp32 layers are the same modules without quantizers.
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/options/conv.h>
#include <torch/nn/options/linear.h>
#include <torch/nn/pimpl.h>

#include <memory>
#include <string>

#include "uniq/graph/bit_plan.h"
#include "uniq/quant/quantizer.h"

namespace uniq::nn {

/// How a layer is quantized; the default leaves it in fp32.
struct Quantization {
  graph::Method method = graph::Method::uniq;
  graph::LayerBits bits;  ///< see graph::layer_bits
  double pact_alpha = 10.0;
};

/// Common part: the two quantizers of a layer.
class QuantLayer : public torch::nn::Module {
 public:
  /// Whether the input's quantizer clips at 0 by itself, so that a ReLU before it changes nothing.
  bool clips_at_zero() const;
  bool calibrating() const { return quan_a_ && quan_a_->calibrating(); }
  const std::shared_ptr<quant::Quantizer>& weight_quantizer() const { return quan_w_; }
  const std::shared_ptr<quant::Quantizer>& activation_quantizer() const { return quan_a_; }

  torch::Tensor weight;  ///< [out, in / groups, kh, kw] or [out, in]
  torch::Tensor bias;    ///< [out], or undefined

 protected:
  /// Weights uniform in +-1/sqrt(fan in), as PyTorch's layers begin; `name` is for error messages.
  void build(const std::vector<std::int64_t>& weight_shape, bool with_bias,
             const Quantization& quantization, const std::string& name);
  torch::Tensor quantized_weight() { return quan_w_ ? quan_w_->forward(weight) : weight; }
  torch::Tensor quantized_input(const torch::Tensor& x) {
    return quan_a_ ? quan_a_->forward(x) : x;
  }

 private:
  std::shared_ptr<quant::Quantizer> quan_w_;
  std::shared_ptr<quant::Quantizer> quan_a_;
};

/// x [batch, in, height, width], best in channels-last memory -> [batch, out, height', width'].
/// Pads with the value 0.0 after quantization, whatever the grid.
class QuantConv2dImpl : public QuantLayer {
 public:
  explicit QuantConv2dImpl(const torch::nn::Conv2dOptions& options,
                           const Quantization& quantization = {},
                           const std::string& name = "conv2d");
  torch::Tensor forward(const torch::Tensor& x);

 private:
  std::vector<std::int64_t> stride_, padding_, dilation_;
  std::int64_t groups_;
};
TORCH_MODULE(QuantConv2d);

/// x [batch, in] -> [batch, out].
class QuantLinearImpl : public QuantLayer {
 public:
  explicit QuantLinearImpl(const torch::nn::LinearOptions& options,
                           const Quantization& quantization = {},
                           const std::string& name = "linear");
  torch::Tensor forward(const torch::Tensor& x);
};
TORCH_MODULE(QuantLinear);

}  // namespace uniq::nn
