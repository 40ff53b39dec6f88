#include "uniq/train/device.h"

#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/grad_mode.h>

#include "uniq/base/error.h"

namespace uniq::train {

namespace {

void check_index(const c10::Device& device, const std::string& name) {
  if (!device.is_cuda() || !device.has_index()) return;
  const auto count = at::detail::getCUDAHooks().getNumGPUs();
  if (device.index() < count) return;
  throw UsageError({.what = "no such CUDA device",
                    .got = name,
                    .expected = "cuda:0 to cuda:" + std::to_string(count - 1)});
}

}  // namespace

c10::Device parse_device(const std::string& name) {
  const ErrorText unknown{.what = "unknown device", .got = name, .expected = "cpu, cuda or cuda:N"};
  try {
    const c10::Device device(name);
    if (!device.is_cpu() && !device.is_cuda()) throw UsageError(unknown);
    if (device.is_cuda() && !at::globalContext().hasCUDA())
      throw UsageError({.what = "no CUDA device",
                        .got = name,
                        .expected = "a LibTorch built with CUDA, and a GPU",
                        .remedy = "--device cpu"});
    check_index(device, name);
    return device;
  } catch (const c10::Error&) {
    throw UsageError(unknown);
  }
}

c10::Device device_of(const torch::nn::Module& network) {
  const std::vector<at::Tensor> parameters = network.parameters();
  return parameters.empty() ? at::kCPU : parameters.front().device();
}

void place(torch::nn::Module& network, const c10::Device& device) {
  const torch::NoGradGuard no_grad;
  network.to(device);
  for (at::Tensor& parameter : network.parameters())
    if (parameter.dim() == 4)
      parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
}

}  // namespace uniq::train
