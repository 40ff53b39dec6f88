#include "uniq/train/health.h"

#include <ATen/ops/isfinite.h>
#include <torch/csrc/autograd/grad_mode.h>

#include <string_view>

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

/// Whether the tensor `rest` below a node's name is the node's own, or of a node whose name leads
/// through it (`fc`, then `fc.1`).
bool is_own(const nn::GraphModule& network, const graph::Node& node, std::string_view rest) {
  const std::size_t dot = rest.find('.');
  if (dot == std::string_view::npos) return true;
  const std::string_view part = rest.substr(0, dot);
  return (part == "quan_w" || part == "quan_a") && rest.find('.', dot + 1) == rest.npos &&
         graph::is_layer(node) && network->plan().at(node.name).quantized();
}

}  // namespace

void require_finite(const nn::GraphModule& network, const std::string& when) {
  const NamedTensors state = state_dict(*network);
  for (const graph::Node& node : network->graph().nodes()) {
    const std::string prefix = node.name + ".";
    for (auto entry = state.lower_bound(prefix);
         entry != state.end() && entry->first.starts_with(prefix); ++entry) {
      const auto& [name, tensor] = *entry;
      if (is_own(network, node, std::string_view(name).substr(prefix.size())) && !finite(tensor))
        fail("layer " + node.name, "NaN or Inf in " + name, when);
    }
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
