#include "uniq/train/device.h"

#include <ATen/Context.h>
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/grad_mode.h>

#include "uniq/base/error.h"

namespace uniq::train {

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
    return device;
  } catch (const c10::Error&) {
    throw UsageError(unknown);
  }
}

void place(torch::nn::Module& network, const c10::Device& device) {
  const torch::NoGradGuard no_grad;
  network.to(device);
  for (at::Tensor& parameter : network.parameters())
    if (parameter.dim() == 4)
      parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
}

}  // namespace uniq::train
