// Uses the installed package with LibTorch: a module written by hand, with quantized layers, learns
// to tell bright left halves from bright right halves.
#include <torch/nn/functional/loss.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>
#include <torch/optim/sgd.h>
#include <torch/types.h>
#include <torch/utils.h>
#include <uniq/nn/layers.h>
#include <uniq/quant/calibration.h>

#include <iostream>

namespace {

using uniq::nn::Quantization;

/// 2-bit weights; 2-bit activations, unsigned: for layers behind a ReLU.
Quantization two_bits() {
  Quantization quantization;
  quantization.bits.weight_bits = 2;
  quantization.bits.activation_bits = 2;
  return quantization;
}

struct NetworkImpl : torch::nn::Module {
  NetworkImpl() {
    stem = register_module("stem", uniq::nn::QuantConv2d(options(1, 8)));
    conv = register_module("conv", uniq::nn::QuantConv2d(options(8, 8), two_bits(), "conv"));
    fc = register_module(
        "fc", uniq::nn::QuantLinear(torch::nn::LinearOptions(8 * 8 * 8, 2), two_bits(), "fc"));
  }

  static torch::nn::Conv2dOptions options(std::int64_t in, std::int64_t out) {
    return torch::nn::Conv2dOptions(in, out, 3).padding(1).bias(false);
  }

  torch::Tensor forward(const torch::Tensor& x) {
    return fc(conv(stem(x).relu()).relu().flatten(1));
  }

  uniq::nn::QuantConv2d stem{nullptr};  ///< fp32
  uniq::nn::QuantConv2d conv{nullptr};
  uniq::nn::QuantLinear fc{nullptr};
};
TORCH_MODULE(Network);

struct Batch {
  torch::Tensor pictures;
  torch::Tensor labels;
};

Batch make_batch() {
  constexpr std::int64_t kCount = 64;
  constexpr std::int64_t kSide = 8;
  Batch batch{torch::rand({kCount, 1, kSide, kSide}), torch::randint(2, {kCount})};
  for (std::int64_t i = 0; i < kCount; ++i) {
    const std::int64_t column = batch.labels[i].item<std::int64_t>() * kSide / 2;
    batch.pictures[i].slice(2, column, column + kSide / 2) += 0.5;
  }
  return batch;
}

}  // namespace

int main() {
  torch::manual_seed(1);
  Network network;
  torch::optim::SGD optimizer(network->parameters(), torch::optim::SGDOptions(0.05).momentum(0.9));

  uniq::quant::start_calibration(*network);
  for (int i = 0; i < 4; ++i) network(make_batch().pictures);
  uniq::quant::stop_calibration(*network);
  uniq::quant::arm_guards(*network, 1e-3);

  double first = 0;
  double last = 0;
  constexpr int kSteps = 100;
  for (int i = 0; i < kSteps; ++i) {
    const Batch batch = make_batch();
    const torch::Tensor loss =
        torch::nn::functional::cross_entropy(network(batch.pictures), batch.labels);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    uniq::quant::guard_steps(*network);
    last = loss.item<double>();
    if (i == 0) first = last;
  }
  std::cout << "loss " << first << " -> " << last << '\n';
  return last < first / 4 ? 0 : 1;
}
