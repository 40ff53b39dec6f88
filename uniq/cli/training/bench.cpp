#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/grad_mode.h>
#include <torch/version.h>

#include <cstdint>
#include <string>
#include <vector>

#include "uniq/base/error.h"
#include "uniq/cli/bench_report.h"
#include "uniq/cli/console.h"
#include "uniq/cli/exit_code.h"
#include "uniq/cli/json_text.h"
#include "uniq/cli/training/commands.h"
#include "uniq/data/preprocessing.h"
#include "uniq/train/load.h"
#include "uniq/train/threads.h"

namespace uniq::cli {
namespace {

/// A random picture's values, [1, channels, height, width], channels-last in memory.
at::Tensor random_values(const data::Preprocessing& pictures) {
  const std::vector<float> values = data::pixel_values(pictures);
  const std::vector<std::uint8_t> picture =
      random_picture(pictures.channels * pictures.height * pictures.width);
  const at::Tensor tensor =
      at::empty({1, pictures.height, pictures.width, pictures.channels}, at::kFloat);
  float* const out = tensor.mutable_data_ptr<float>();
  const auto channels = static_cast<std::size_t>(pictures.channels);
  for (std::size_t i = 0; i < picture.size(); ++i) out[i] = values[i % channels * 256 + picture[i]];
  return tensor.permute({0, 3, 1, 2});
}

/// use_threads() only lowers what LibTorch chooses.
ThreadChoice threads_used(const BenchOptions& options) {
  ThreadChoice threads = choose_threads(options.threads, train::usable_cpus_unbound());
  if (threads.count == at::get_num_threads()) return threads;
  return {.count = at::get_num_threads(),
          .limit = "libtorch",
          .why = "LibTorch's own number, OMP_NUM_THREADS"};
}

}  // namespace

int bench(const BenchOptions& options) {
  if (options.layers) {
    throw UsageError(ErrorText{"a checkpoint's layers are not timed one by one", "--layers",
                               options.file, "a packed model", "`uniqnn pack`"});
  }
  train::use_threads(options.threads);
  train::LoadedNetwork loaded = train::load_network(options.file);
  const torch::NoGradGuard no_grad;
  const at::Tensor picture = random_values(loaded.info.preprocessing);
  const Latency latency = measure_latency([&] { loaded.network->forward(picture); }, options.runs);
  const BenchReport report{.file = options.file,
                           .engine = std::string("LibTorch ") + TORCH_VERSION,
                           .threads = threads_used(options),
                           .latency = latency};
  print(options.json ? json_text(bench_json(report)) : bench_table(report).text());
  return kSuccess;
}

}  // namespace uniq::cli
