#include "uniq/verify/value_truth.h"

#include <ATen/ops/zeros_like.h>

namespace uniq::verify {

std::vector<ValueTruth> value_truths(const Trained& trained, const Wiring& wiring) {
  std::vector<ValueTruth> truths;
  for (std::size_t i = 0; i < wiring.values().size(); ++i) {
    const int id = static_cast<int>(i);
    const at::Tensor& value = trained.value(wiring.graph_node(id));
    ValueTruth& truth = truths.emplace_back();
    truth.value = by_pixel(value);
    if (!wiring.values()[i].encoding.is_codes()) continue;
    const graph::NodeId reader = wiring.reader(id);
    const quant::Quantizer& quantizer = *trained.layer(reader).activation_quantizer();
    truth.codes = by_pixel(quantizer.codes(value));
    truth.bits = quantizer.options().bits;
    truth.grid = quantizer.options().grid;
    truth.step = quantizer.step(value).item<float>();
    truth.reader = trained.graph().node(reader).name;
  }
  return truths;
}

OutputTruth::OutputTruth(const ValueTruth& value_truth, const Deviation& deviation)
    : truth(value_truth),
      bound(deviation.bound.defined() ? by_pixel(deviation.bound)
                                      : at::zeros_like(truth.value, at::kDouble)),
      spoiled(deviation.spoiled.defined() ? by_pixel(deviation.spoiled) : at::Tensor()) {}

}  // namespace uniq::verify
