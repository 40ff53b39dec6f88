#include "uniq/graph/bit_rules.h"

#include <algorithm>

#include "uniq/base/error.h"

namespace uniq::graph {
namespace {

void check_width(int bits, const char* what, const std::string& where) {
  if (bits == 0 || (bits >= kMinBits && bits <= kMaxBits)) return;
  throw UsageError(ErrorText{std::string("bits: ") + what + " out of range", where,
                             std::to_string(bits), "1 to 8, or 0 for fp32", ""});
}

bool is_dorefa_like(Method method) { return method == Method::dorefa || method == Method::pact; }

void check_method(Method method, const std::string& where, const LayerBits& bits) {
  const std::string name(method_name(method));
  if (method == Method::lsq && std::min(bits.weight_bits, bits.activation_bits) < 2) {
    throw UsageError(ErrorText{
        "bits: lsq has no 1-bit grid", where,
        std::to_string(bits.weight_bits) + "/" + std::to_string(bits.activation_bits) + " bits",
        "2 to 8", "method uniq"});
  }
  if (!is_dorefa_like(method)) return;
  if (bits.range == ActivationRange::signed_) {
    throw UsageError(ErrorText{"bits: " + name + " cannot quantize signed activations", where,
                               "an input that can be negative", "one behind a ReLU",
                               "method uniq or lsq, or an override that leaves the layer in fp32"});
  }
  if (bits.granularity == Granularity::kernel) {
    throw UsageError(ErrorText{"bits: " + name + " has one weight step per layer", where,
                               "granularity kernel", "layer", "method uniq or lsq"});
  }
}

Grid activation_grid(Method method, ActivationRange range, int bits) {
  if (range == ActivationRange::image) return Grid::mid_rise;  // whatever the method
  if (range == ActivationRange::non_negative) return Grid::unsigned_;
  return method == Method::uniq && bits == 1 ? Grid::mid_rise : Grid::mid_tread;
}

}  // namespace

void check_widths(int weight_bits, int activation_bits, const std::string& where) {
  check_width(weight_bits, "weight bits", where);
  check_width(activation_bits, "activation bits", where);
  if ((weight_bits == 0) == (activation_bits == 0)) return;
  throw UsageError(ErrorText{
      "bits: one of the two widths is missing", where,
      "weights " + std::to_string(weight_bits) + ", activations " + std::to_string(activation_bits),
      "both 1 to 8, or both 0 for fp32",
      weight_bits == 0 ? "weight bits of 8" : "activation bits of 8"});
}

LayerBits layer_bits(Method method, const std::string& layer, int weight_bits, int activation_bits,
                     Granularity granularity, ActivationRange range) {
  const std::string where = "layer " + layer;
  check_widths(weight_bits, activation_bits, where);
  LayerBits bits;
  bits.range = range;
  if (weight_bits == 0) return bits;
  bits.weight_bits = weight_bits;
  bits.activation_bits = activation_bits;
  bits.granularity = granularity;
  check_method(method, where, bits);
  bits.weight_grid = method == Method::lsq ? Grid::mid_tread : Grid::mid_rise;
  bits.activation_grid = activation_grid(method, range, activation_bits);
  return bits;
}

}  // namespace uniq::graph
