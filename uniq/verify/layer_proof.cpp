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

/// Puts the training network's codes or values into a value's buffer.
void put(Session& session, int id, const ValueTruth& truth, std::int64_t picture) {
  const graph::Shape& shape = session.network().buffers()[static_cast<std::size_t>(id)].value.shape;
  std::byte* const to = session.value(id).data();
  const std::int64_t pixels = shape.height * shape.width;
  const std::int64_t first = picture * pixels * shape.channels;
  if (!truth.is_codes()) {
    std::memcpy(to, truth.value.const_data_ptr<float>() + first,
                static_cast<std::size_t>(pixels * shape.channels) * sizeof(float));
    return;
  }
  const std::uint8_t* codes = truth.codes.const_data_ptr<std::uint8_t>() + first;
  const std::int64_t stride = kernels::code_stride(shape.channels);
  for (std::int64_t pixel = 0; pixel < pixels; ++pixel)
    std::memcpy(to + pixel * stride, codes + pixel * shape.channels,
                static_cast<std::size_t>(shape.channels));
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
    others_[node].push_back({&kernel, kernel.prepare(*conv, codes)});
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
  StepProbe probe(session, node);
  for (std::int64_t y = 0; y < wiring_.node(node).shape.height; ++y) {
    const Row row = row_of(node, picture, y);
    probe.run(y, pictures_.at(picture));
    if (probe.sums() != nullptr) {
      if (auto failure = check_sums(scene, row, probe.sums(), truth_->sums())) return failure;
      report.sums += row.size();
    }
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      if (!outputs_[i].truth.is_codes()) continue;
      if (auto failure =
              check_values(scene, row, probe.output(i), outputs_[i], report.layer_by_layer))
        return failure;
    }
  }
  return {};
}

std::optional<Failure> LayerProof::check_outputs(Session& session, std::size_t node,
                                                 std::int64_t picture, const Scene& scene,
                                                 Report& report) const {
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const int id = wiring_.value_of(node, i);
    const runtime::Buffer& buffer = session.network().buffers()[static_cast<std::size_t>(id)];
    for (std::int64_t y = 0; y < buffer.value.shape.height; ++y) {
      const Row row = row_of(node, picture, y);
      const std::byte* bytes = session.value(id).data() + y * buffer.row_bytes;
      auto failure =
          outputs_[i].truth.is_codes()
              ? check_codes(scene, row, reinterpret_cast<const std::uint8_t*>(bytes),
                            kernels::code_stride(row.channels), outputs_[i], report.layer_by_layer)
              : check_values(scene, row, reinterpret_cast<const float*>(bytes), outputs_[i],
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
    const std::byte* input = session.value(wiring_.node(node).inputs[0]).data();
    for (std::int64_t y = 0; y < wiring_.node(node).shape.height; ++y) {
      const Row row = row_of(node, picture, y);
      std::vector<std::int32_t> sums(static_cast<std::size_t>(row.size()));
      other.kernel->row_sums(other.prepared, reinterpret_cast<const std::uint8_t*>(input), y,
                             sums.data());
      if (auto failure = check_sums(scene, row, sums.data(), truth_->sums())) return failure;
      report.sums += row.size();
    }
  }
  return {};
}

}  // namespace uniq::verify
