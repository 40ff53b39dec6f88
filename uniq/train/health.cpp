#include "uniq/train/health.h"

#include <ATen/ops/isfinite.h>
#include <torch/csrc/autograd/grad_mode.h>

#include "uniq/base/error.h"
#include "uniq/train/tensors.h"

namespace uniq::train {
namespace {

bool finite(const at::Tensor& values) { return at::isfinite(values).all().item<bool>(); }

[[noreturn]] void fail(const std::string& where, const std::string& got, const std::string& when) {
  throw Error({.what = "training met NaN or Inf",
               .where = where + ", " + when,
               .got = got,
               .expected = "finite numbers",
               .remedy = "a lower learning rate (optimizer.lr), clipping (optimizer.clip_norm), or "
                         "a longer warm-up (schedule.warmup_epochs)"});
}

}  // namespace

void require_finite(const nn::GraphModule& network, const std::string& when) {
  const NamedTensors state = state_dict(*network);
  for (const graph::Node& node : network->graph().nodes()) {
    const std::string prefix = node.name + ".";
    for (auto entry = state.lower_bound(prefix);
         entry != state.end() && entry->first.rfind(prefix, 0) == 0; ++entry)
      if (!finite(entry->second)) fail("layer " + node.name, "NaN or Inf in " + entry->first, when);
  }
}

void report_non_finite(nn::GraphModule& network, const at::Tensor& pictures,
                       const std::string& when) {
  const torch::NoGradGuard no_grad;
  if (!finite(pictures)) fail("input pictures", "a picture with NaN or Inf", when);
  require_finite(network, when);
  network->forward(pictures, [&](const graph::Node& node, const at::Tensor& value) {
    if (!finite(value)) fail("layer " + node.name, "an output with NaN or Inf", when);
  });
  fail("loss", "a loss that is not finite from finite logits", when);
}

}  // namespace uniq::train
