#include "uniq/verify/check.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "uniq/base/text.h"

namespace uniq::verify {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

Failure failure_at(const Scene& scene, const Row& row, std::int64_t i, std::string what) {
  return {.proof = scene.proof,
          .layer = scene.layer,
          .what = std::move(what),
          .position = {{"picture", scene.first_picture + row.picture},
                       {"channel", i % row.channels},
                       {"row", row.row},
                       {"column", i / row.channels}},
          .packed = "",
          .trained = "",
          .allowed = "",
          .kernel = scene.kernel};
}

bool is_spoiled(const OutputTruth& expected, std::int64_t element) {
  return expected.spoiled.defined() && expected.spoiled.const_data_ptr<bool>()[element];
}

/// The codes of the values within the bound: the quantizer does not fall, and the next fp32
/// numbers outward cover the roundings here.
struct CodeRange {
  int lowest;
  int highest;
};
CodeRange codes_within(const ValueTruth& truth, double value, double bound) {
  const auto code_of = [&truth](float x) {
    return int{quantize(x, truth.step, truth.grid, truth.bits)};
  };
  const auto low = static_cast<float>(value - bound);
  const auto high = static_cast<float>(value + bound);
  return {code_of(std::nextafter(low, -kInfinity)), code_of(std::nextafter(high, kInfinity))};
}

}  // namespace

double share_of_bound(double value, double expected, double bound) {
  if (value == expected) return 0.0;  // infinities too
  const double share = std::abs(value - expected) / bound;
  return std::isnan(share) ? std::numeric_limits<double>::infinity() : share;
}

ClassComparison compare_classes(std::span<const float> logits, std::span<const float> trained,
                                std::span<const double> bounds) {
  const auto best_of = [](std::span<const float> values) {
    return static_cast<std::size_t>(std::ranges::max_element(values) - values.begin());
  };
  const std::size_t packed_best = best_of(logits);
  const std::size_t best = best_of(trained);
  const auto may_be_best = [&](std::size_t c) {
    return static_cast<double>(trained[best]) - static_cast<double>(trained[c]) <=
           (bounds[best] + bounds[c]) * kSlack;
  };
  if (packed_best != best && !may_be_best(packed_best)) return ClassComparison::differs;
  for (std::size_t c = 0; c < trained.size(); ++c)
    if (c != best && may_be_best(c)) return ClassComparison::tied;
  return ClassComparison::same;
}

template <class Integer>
std::optional<Failure> check_sums(const Scene& scene, const Row& row, const Integer* sums,
                                  const at::Tensor& expected) {
  const double* exact = expected.const_data_ptr<double>() + row.first();
  for (std::int64_t i = 0; i < row.size(); ++i) {
    if (static_cast<double>(sums[i]) == exact[i]) continue;
    Failure failure = failure_at(scene, row, i, "sum");
    failure.packed = std::to_string(sums[i]);
    failure.trained = std::to_string(static_cast<std::int64_t>(exact[i]));
    return failure;
  }
  return {};
}

template std::optional<Failure> check_sums(const Scene&, const Row&, const std::int32_t*,
                                           const at::Tensor&);
template std::optional<Failure> check_sums(const Scene&, const Row&, const std::int64_t*,
                                           const at::Tensor&);

std::optional<Failure> check_values(const Scene& scene, const Row& row, const float* values,
                                    const OutputTruth& expected, Compared& compared) {
  const float* trained = expected.truth.value.const_data_ptr<float>();
  const double* bounds = expected.bound.const_data_ptr<double>();
  // The unsigned grid clips at 0 itself, so that packing leaves out a ReLU before it.
  const bool clips = expected.truth.is_codes() && expected.truth.grid == Grid::unsigned_;
  for (std::int64_t i = 0; i < row.size(); ++i) {
    const std::int64_t element = row.first() + i;
    if (is_spoiled(expected, element)) continue;
    const float value = clips && values[i] < 0.0f ? 0.0f : values[i];
    const double bound = bounds[element] * kSlack;
    const double share = share_of_bound(value, trained[element], bound);
    compared.values += 1;
    compared.largest_share = std::max(compared.largest_share, share);
    if (share <= 1.0) continue;
    Failure failure = failure_at(scene, row, i, "value");
    failure.packed = number_text(value);
    failure.trained = number_text(trained[element]);
    failure.allowed = number_text(bound) + " apart";
    return failure;
  }
  return {};
}

std::optional<Failure> check_codes(const Scene& scene, const Row& row, const std::uint8_t* codes,
                                   const OutputTruth& expected, Compared& compared, bool* differs) {
  const ValueTruth& truth = expected.truth;
  const std::uint8_t* trained = truth.codes.const_data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < row.size(); ++i) {
    const std::int64_t element = row.first() + i;
    const int code = codes[i];
    const bool is_other = code != trained[element];
    compared.codes += 1;
    if (differs != nullptr) differs[element] = is_other;
    if (!is_other) continue;
    compared.codes_differing += 1;
    if (is_spoiled(expected, element)) continue;
    compared.codes_at_bound += 1;
    const double bound = expected.bound.const_data_ptr<double>()[element] * kSlack;
    const CodeRange allowed =
        codes_within(truth, truth.value.const_data_ptr<float>()[element], bound);
    if (allowed.lowest <= code && code <= allowed.highest) continue;
    Failure failure = failure_at(scene, row, i, "code for " + truth.reader);
    failure.packed = std::to_string(code);
    failure.trained = std::to_string(trained[element]);
    failure.allowed = std::to_string(allowed.lowest) + " to " + std::to_string(allowed.highest);
    return failure;
  }
  return {};
}

}  // namespace uniq::verify
