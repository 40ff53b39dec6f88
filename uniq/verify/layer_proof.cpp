#include "uniq/verify/layer_proof.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <variant>

#include "uniq/format/packed_model.h"
#include "uniq/verify/step_probe.h"

namespace uniq::verify {
namespace {

using runtime::CodeConvCore;
using runtime::Session;

/// Puts the training network's codes or values into a value's buffers.
void put(Session& session, int id, const ValueTruth& truth, std::int64_t picture) {
  const graph::Shape& shape = session.network().values()[static_cast<std::size_t>(id)].shape;
  const auto size = static_cast<std::size_t>(shape.elements());
  const std::size_t first = static_cast<std::size_t>(picture) * size;
  if (truth.is_codes()) {
    session.write(id, std::span(truth.codes.const_data_ptr<std::uint8_t>() + first, size));
  } else {
    session.write(id, std::span(truth.value.const_data_ptr<float>() + first, size));
  }
}

std::string kernel_text(const runtime::Network& network, std::size_t node) {
  return network.steps()[node].kernel() + " on " + std::string(kernels::isa_name(network.isa()));
}

}  // namespace

LayerProof::LayerProof(const Networks& networks, const Wiring& wiring, int threads)
    : wiring_(wiring), others_(wiring.nodes()) {
  for (const auto& network : networks)
    sessions_.push_back(
        std::make_unique<Session>(network, runtime::SessionOptions{.threads = threads}));
  for (std::size_t node = 0; node < wiring.nodes(); ++node) add_other_kernels(node);
}

void LayerProof::add_other_kernels(std::size_t node) {
  std::set<const kernels::ConvKernel*> chosen;
  const kernels::CodeConv* conv = nullptr;
  for (const auto& session : sessions_) {
    const auto* core = std::get_if<CodeConvCore>(&session->network().steps()[node].core);
    if (core == nullptr) return;
    chosen.insert(core->kernel);
    conv = &core->prepared.conv;
  }
  if (conv == nullptr) return;
  const format::PackedWeights& weights = sessions_.front()->network().model().nodes[node].weights;
  const kernels::ConvShape& shape = conv->shape;
  std::vector<std::uint8_t> codes(
      static_cast<std::size_t>(shape.out_channels * shape.taps() * shape.group_in()));
  format::unpack_codes(weights.bytes, weights.bits, codes);
  for (const kernels::ConvKernel& kernel : kernels::conv_kernels()) {
    if (!kernels::has_isa(kernel.isa) || chosen.contains(&kernel) || !kernel.supports(*conv))
      continue;
    others_[node].push_back({&kernel, kernel.prepare(*conv, kernel.input_layout(*conv), codes)});
  }
}

std::vector<std::string> LayerProof::kernels() const {
  std::set<std::string> names;
  for (std::size_t node = 0; node < others_.size(); ++node) {
    for (const OtherKernel& other : others_[node]) names.insert(other.kernel->name);
    for (const auto& session : sessions_) {
      const runtime::Step& step = session->network().steps()[node];
      if (wiring_.node(node).op == format::PackedOp::conv) names.insert(step.kernel());
    }
  }
  return {names.begin(), names.end()};
}

void LayerProof::check(std::size_t node, const NodeTruth& truth, std::span<const ValueTruth> values,
                       const Pictures& pictures, Report& report) {
  truth_ = &truth;
  values_ = values;
  pictures_ = pictures;
  outputs_.clear();
  // The inputs are the training network's own.
  const Deviation core = truth.core(std::vector<Deviation>(wiring_.node(node).inputs.size()));
  for (std::size_t i = 0; i < wiring_.node(node).outputs.size(); ++i) {
    const auto value = static_cast<std::size_t>(wiring_.value_of(node, i));
    outputs_.emplace_back(values[value], truth.output(i, core));
  }
  for (const auto& session : sessions_) {
    for (std::int64_t picture = 0; picture < pictures.count && report.proven(); ++picture) {
      report.failure = check_picture(*session, node, picture, report);
      if (report.proven() && session == sessions_.front())
        report.failure = check_other_kernels(*session, node, picture, report);
    }
  }
}

Row LayerProof::row_of(std::size_t node, std::int64_t picture, std::int64_t row) const {
  const graph::Shape& shape = wiring_.node(node).shape;
  return {picture, row, shape.height, shape.width, shape.channels};
}

std::optional<Failure> LayerProof::check_picture(Session& session, std::size_t node,
                                                 std::int64_t picture, Report& report) const {
  const Scene scene = {.proof = Proof::layers,
                       .layer = wiring_.node(node).name,
                       .kernel = kernel_text(session.network(), node),
                       .first_picture = pictures_.first};
  for (const int input : wiring_.node(node).inputs)
    put(session, input, values_[static_cast<std::size_t>(input)], picture);
  session.run_step(node, pictures_.at(picture));
  if (auto failure = check_probe(session, node, picture, scene, report)) return failure;
  return check_outputs(session, node, picture, scene, report);
}

// What the outputs alone would not show: the sums, and what is far from any threshold of a code.
std::optional<Failure> LayerProof::check_probe(Session& session, std::size_t node,
                                               std::int64_t picture, const Scene& scene,
                                               Report& report) const {
  const StepProbe probe(session, node, pictures_.at(picture));
  for (std::int64_t y = 0; y < wiring_.node(node).shape.height; ++y) {
    const Row row = row_of(node, picture, y);
    if (probe.sums(y) != nullptr) {
      if (auto failure = check_sums(scene, row, probe.sums(y), truth_->sums())) return failure;
      report.sums += row.size();
    }
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      if (!outputs_[i].truth.is_codes()) continue;
      if (auto failure =
              check_values(scene, row, probe.output(i, y), outputs_[i], report.layer_by_layer))
        return failure;
    }
  }
  return {};
}

std::optional<Failure> LayerProof::check_outputs(Session& session, std::size_t node,
                                                 std::int64_t picture, const Scene& scene,
                                                 Report& report) const {
  const graph::Shape& shape = wiring_.node(node).shape;
  const std::int64_t width = shape.width * shape.channels;
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const int id = wiring_.value_of(node, i);
    const bool is_codes = outputs_[i].truth.is_codes();
    const auto size = static_cast<std::size_t>(shape.elements());
    std::vector<std::uint8_t> codes(is_codes ? size : 0);
    std::vector<float> floats(is_codes ? 0 : size);
    if (is_codes) session.read(id, codes);
    if (!is_codes) session.read(id, floats);
    for (std::int64_t y = 0; y < shape.height; ++y) {
      const Row row = row_of(node, picture, y);
      auto failure = is_codes ? check_codes(scene, row, codes.data() + y * width, outputs_[i],
                                            report.layer_by_layer)
                              : check_values(scene, row, floats.data() + y * width, outputs_[i],
                                             report.layer_by_layer);
      if (failure) return failure;
    }
  }
  return {};
}

// On the inputs that check_picture left in the session's buffers.
std::optional<Failure> LayerProof::check_other_kernels(Session& session, std::size_t node,
                                                       std::int64_t picture, Report& report) const {
  for (const OtherKernel& other : others_[node]) {
    const Scene scene = {.proof = Proof::layers,
                         .layer = wiring_.node(node).name,
                         .kernel = other.kernel->name,
                         .first_picture = pictures_.first};
    const graph::Shape& in =
        session.network().values()[static_cast<std::size_t>(wiring_.node(node).inputs[0])].shape;
    std::vector<std::uint8_t> codes(static_cast<std::size_t>(in.elements()));
    session.read(wiring_.node(node).inputs[0], codes);
    const kernels::CodeLayout& layout = other.prepared.input;
    std::vector<std::uint8_t> map(static_cast<std::size_t>(layout.bytes() + kernels::kReadBeyond));
    kernels::write_codes(layout, codes, map.data());
    const std::vector<std::int32_t> sums =
        kernels::all_sums(*other.kernel, other.prepared, map.data());
    for (std::int64_t y = 0; y < wiring_.node(node).shape.height; ++y) {
      const Row row = row_of(node, picture, y);
      const std::int32_t* of_row = sums.data() + y * row.size();
      if (auto failure = check_sums(scene, row, of_row, truth_->sums())) return failure;
      report.sums += row.size();
    }
  }
  return {};
}

}  // namespace uniq::verify
