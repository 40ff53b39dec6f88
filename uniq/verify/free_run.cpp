#include "uniq/verify/free_run.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

namespace uniq::verify {

FreeRun::FreeRun(std::shared_ptr<const runtime::Network> network, const Wiring& wiring, int threads)
    : wiring_(wiring),
      session_(std::move(network), runtime::SessionOptions{.threads = threads}),
      computed_(wiring.values().size()) {}

void FreeRun::start(const Pictures& pictures) {
  pictures_ = pictures;
  deviations_.assign(wiring_.values().size(), {});
  has_difference_.assign(static_cast<std::size_t>(pictures.count), false);
  for (Computed& computed : computed_) computed = {};
  std::vector<float> logits(static_cast<std::size_t>(session_.network().classes()));
  for (std::int64_t i = 0; i < pictures.count; ++i) {
    session_.run({pictures.at(i), static_cast<std::size_t>(pictures.picture_bytes)}, logits);
    for (std::size_t value = 0; value < computed_.size(); ++value) keep_value(value);
  }
}

void FreeRun::keep_value(std::size_t value) {
  const format::PackedValue& of = session_.network().values()[value];
  const auto size = static_cast<std::size_t>(of.shape.elements());
  const auto keep = [&](auto& all) {
    all.resize(all.size() + size);
    session_.read(static_cast<int>(value), std::span(all).last(size));
  };
  if (of.encoding.is_codes()) {
    keep(computed_[value].codes);
  } else {
    keep(computed_[value].floats);
  }
}

void FreeRun::check(std::size_t node, const NodeTruth& truth, std::span<const ValueTruth> values,
                    Report& report) {
  std::vector<Deviation> inputs;
  for (const int input : wiring_.node(node).inputs)
    inputs.push_back(deviations_[static_cast<std::size_t>(input)]);
  const Deviation core = truth.core(inputs);
  for (std::size_t i = 0; i < wiring_.node(node).outputs.size(); ++i) {
    const int id = wiring_.value_of(node, i);
    const ValueTruth& value = values[static_cast<std::size_t>(id)];
    const Deviation deviation = truth.output(i, core);
    const OutputTruth expected(value, deviation);
    at::Tensor differs;
    if (value.is_codes()) differs = at::zeros(value.codes.sizes(), at::kBool);
    report.failure = check_output(node, id, expected,
                                  differs.defined() ? differs.mutable_data_ptr<bool>() : nullptr,
                                  report.free_run);
    if (report.failure) return;
    if (differs.defined()) {
      keep_difference(id, differs);
    } else {
      deviations_[static_cast<std::size_t>(id)] = deviation;
    }
    if (id == wiring_.output()) logit_bounds_ = expected.bound;
  }
}

std::optional<Failure> FreeRun::check_output(std::size_t node, int value,
                                             const OutputTruth& expected, bool* differs,
                                             Compared& compared) const {
  const Computed& computed = computed_[static_cast<std::size_t>(value)];
  const graph::Shape& shape = wiring_.node(node).shape;
  const Scene scene = {.proof = Proof::free_run,
                       .layer = wiring_.node(node).name,
                       .kernel = session_.network().steps()[node].kernel() + " on " +
                                 std::string(kernels::isa_name(session_.network().isa())),
                       .first_picture = pictures_.first};
  std::int64_t at = 0;
  for (std::int64_t picture = 0; picture < pictures_.count; ++picture) {
    for (std::int64_t y = 0; y < shape.height; ++y) {
      const Row row = {picture, y, shape.height, shape.width, shape.channels};
      auto failure =
          expected.truth.is_codes()
              ? check_codes(scene, row, computed.codes.data() + at, expected, compared, differs)
              : check_values(scene, row, computed.floats.data() + at, expected, compared);
      at += row.size();
      if (failure) return failure;
    }
  }
  return {};
}

void FreeRun::keep_difference(int value, const at::Tensor& differs) {
  const at::Tensor by_picture = differs.flatten(1).any(1).contiguous();
  const bool* any = by_picture.const_data_ptr<bool>();
  bool has_any = false;
  for (std::size_t i = 0; i < has_difference_.size(); ++i) {
    if (!any[i]) continue;
    has_difference_[i] = true;
    has_any = true;
  }
  if (has_any) deviations_[static_cast<std::size_t>(value)].spoiled = by_channel_map(differs);
}

void FreeRun::finish(std::span<const ValueTruth> values, Report& report) const {
  const auto output = static_cast<std::size_t>(wiring_.output());
  const auto classes = static_cast<std::size_t>(session_.network().classes());
  const std::span<const float> logits = computed_[output].floats;
  const std::span trained(values[output].value.const_data_ptr<float>(), logits.size());
  const std::span bounds(logit_bounds_.const_data_ptr<double>(), logits.size());
  for (std::size_t i = 0; i < has_difference_.size(); ++i) {
    const std::span own = logits.subspan(i * classes, classes);
    const std::span own_trained = trained.subspan(i * classes, classes);
    const std::span own_bounds = bounds.subspan(i * classes, classes);
    const ClassComparison compared = compare_classes(own, own_trained, own_bounds);
    report.top1_differing += compared == ClassComparison::differs;
    report.top1_tied += compared == ClassComparison::tied;
    report.pictures_differing += has_difference_[i];
    for (std::size_t c = 0; c < classes && !has_difference_[i]; ++c)
      report.largest_logit_share = std::max(report.largest_logit_share,
                                            share_of_bound(own[c], own_trained[c], own_bounds[c]));
  }
}

}  // namespace uniq::verify
