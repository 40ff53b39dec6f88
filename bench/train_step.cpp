// One training step (forward, backward, update) of a quantized network against the same step of the
// fp32 network made of plain LibTorch modules: in turns, in one process. Both networks' outputs are
// checked before any time is printed.
#include <torch/nn/functional/loss.h>
#include <torch/optim/sgd.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <vector>

#include "bench/plain_resnet.h"
#include "uniq/base/cpu.h"
#include "uniq/models/models.h"
#include "uniq/nn/graph_module.h"
#include "uniq/quant/calibration.h"
#include "uniq/train/device.h"
#include "uniq/train/memory.h"
#include "uniq/train/optimizer.h"
#include "uniq/train/tensors.h"
#include "uniq/train/threads.h"

namespace {

using uniq::graph::BitPlan;
using uniq::nn::GraphModule;

struct Options {
  int depth = 32;
  std::int64_t batch = 128;
  std::int64_t size = 32;
  std::int64_t classes = 100;
  int bits = 2;
  int alternations = 20;
  int warm_up = 3;
  int threads = 0;
  bool baseline_only = false;
  bool default_allocator = false;
};

struct Times {
  std::vector<double> milliseconds;
  double minimum() const { return *std::min_element(milliseconds.begin(), milliseconds.end()); }
  double median() const {
    std::vector<double> sorted = milliseconds;
    std::sort(sorted.begin(), sorted.end());
    const std::size_t half = sorted.size() / 2;
    return sorted.size() % 2 ? sorted[half] : 0.5 * (sorted[half - 1] + sorted[half]);
  }
};

void measure(const std::function<void()>& step, Times& times) {
  const auto start = std::chrono::steady_clock::now();
  step();
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  times.milliseconds.push_back(took.count());
}

uniq::recipe::Optimizer recipe_optimizer() {
  uniq::recipe::Optimizer options;
  options.lr = 1e-3;
  return options;
}

GraphModule make_network(const Options& options, int bits) {
  uniq::graph::Graph graph =
      uniq::models::build_model("preact_resnet" + std::to_string(options.depth),
                                {3, options.size, options.size, options.classes});
  uniq::graph::BitRequest request;
  request.weight_bits = request.activation_bits = bits;
  BitPlan plan = uniq::graph::make_bit_plan(graph, request);
  GraphModule network(std::move(graph), std::move(plan));
  uniq::train::place(*network, at::kCPU);
  return network;
}

/// uniqnn's fp32 network with the baseline's weights must give the baseline's logits.
bool baseline_is_right(const Options& options, uniq::bench::PlainResNet& baseline,
                       const torch::Tensor& pictures) {
  const torch::NoGradGuard no_grad;
  GraphModule network = make_network(options, 0);
  const auto ours = uniq::train::state_dict(*network);
  const auto theirs = uniq::train::state_dict(*baseline);
  if (ours.size() != theirs.size()) return false;
  for (const auto& [name, tensor] : ours) at::Tensor(tensor).copy_(theirs.at(name));
  network->eval();
  baseline->eval();
  const torch::Tensor expected = baseline->forward(pictures);
  const torch::Tensor difference = network->forward(pictures) - expected;
  baseline->train();
  return difference.abs().max().item<double>() <= 1e-4 * expected.abs().max().item<double>();
}

int run(const Options& options) {
  if (!options.default_allocator) uniq::train::keep_freed_memory();
  uniq::train::use_threads(options.threads);
  torch::manual_seed(0);
  const torch::Tensor pictures = torch::randn({options.batch, 3, options.size, options.size})
                                     .contiguous(at::MemoryFormat::ChannelsLast);
  const torch::Tensor labels = torch::randint(options.classes, {options.batch}, at::kLong);

  uniq::bench::PlainResNet baseline(options.depth, 3, options.classes);
  uniq::train::place(*baseline, at::kCPU);
  if (!baseline_is_right(options, baseline, pictures)) {
    std::fprintf(stderr, "train_step: the baseline's logits differ from the graph's\n");
    return 1;
  }
  uniq::train::Optimizer baseline_optimizer(recipe_optimizer(), *baseline);
  double baseline_loss = 0.0, quantized_loss = 0.0;
  const auto baseline_step = [&] {
    const torch::Tensor loss =
        torch::nn::functional::cross_entropy(baseline->forward(pictures), labels);
    loss.backward();
    baseline_optimizer.step();
    baseline_loss = loss.item<double>();
  };

  GraphModule network = make_network(options, options.bits);
  uniq::quant::start_calibration(*network);
  {
    const torch::NoGradGuard no_grad;
    network->forward(pictures);
  }
  uniq::quant::stop_calibration(*network);
  uniq::quant::arm_guards(*network, 1e-3);
  uniq::train::Optimizer optimizer(recipe_optimizer(), *network);
  const auto quantized_step = [&] {
    const torch::Tensor loss =
        torch::nn::functional::cross_entropy(network->forward(pictures), labels);
    loss.backward();
    optimizer.step();
    uniq::quant::guard_steps(*network);
    quantized_loss = loss.item<double>();
  };

  Times fp32, quantized;
  for (int i = 0; i < options.warm_up; ++i) {
    baseline_step();
    if (!options.baseline_only) quantized_step();
  }
  const double first_baseline = baseline_loss, first_quantized = quantized_loss;
  for (int i = 0; i < options.alternations; ++i) {
    measure(baseline_step, fp32);
    if (!options.baseline_only) measure(quantized_step, quantized);
  }
  // On the same batch again and again, both must have learned.
  if (!(baseline_loss < first_baseline) ||
      (!options.baseline_only && !(quantized_loss < first_quantized))) {
    std::fprintf(stderr,
                 "train_step: the loss did not fall: fp32 %.4f to %.4f, quantized %.4f to %.4f\n",
                 first_baseline, baseline_loss, first_quantized, quantized_loss);
    return 1;
  }
  std::printf("cpu        %s, %d threads\n", uniq::cpu_info().model.c_str(), at::get_num_threads());
  std::printf("network    preact_resnet%d, %ld x 3 x %ld x %ld, %d alternations\n", options.depth,
              options.batch, options.size, options.size, options.alternations);
  std::printf("fp32       minimum %8.2f ms   median %8.2f ms\n", fp32.minimum(), fp32.median());
  if (options.baseline_only) return 0;
  std::printf("%d-bit      minimum %8.2f ms   median %8.2f ms\n", options.bits, quantized.minimum(),
              quantized.median());
  std::printf("ratio      minimum %8.3f      median %8.3f\n", quantized.minimum() / fp32.minimum(),
              quantized.median() / fp32.median());
  return 0;
}

int parse_and_run(int argc, char** argv) {
  Options options;
  CLI::App app("Training step of a quantized network against fp32, in turns.");
  app.add_option("--depth", options.depth, "pre-activation ResNet's depth")
      ->check(CLI::IsMember({8, 20, 32, 44, 56}));
  app.add_option("--batch", options.batch, "pictures per step");
  app.add_option("--size", options.size, "height and width of the pictures");
  app.add_option("--classes", options.classes, "number of classes");
  app.add_option("--bits", options.bits, "weights and activations")->check(CLI::Range(1, 8));
  app.add_option("--alternations", options.alternations, "measured steps of each")
      ->check(CLI::PositiveNumber);
  app.add_option("--threads", options.threads, "0: all");
  app.add_flag("--baseline-only", options.baseline_only, "fp32 alone");
  app.add_flag("--default-allocator", options.default_allocator,
               "leave freed memory to the system, as a plain program does");
  CLI11_PARSE(app, argc, argv);
  return run(options);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return parse_and_run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "train_step: error: %s\n", error.what());
    return 1;
  }
}
