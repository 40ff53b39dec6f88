#include "uniq/format/packed_node_check.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <initializer_list>
#include <limits>

#include "uniq/base/error.h"
#include "uniq/base/text.h"
#include "uniq/graph/limits.h"
#include "uniq/grid/step.h"

namespace uniq::format {
namespace {

using graph::kMaxChannels;
using graph::kMaxElements;
using graph::kMaxExtent;
using graph::kMaxMacs;
using graph::kMaxWeights;

/// Product of factors of at least 1, or the largest integer where it would overflow.
std::int64_t saturating_product(std::initializer_list<std::int64_t> factors) {
  std::int64_t product = 1;
  for (const std::int64_t factor : factors) {
    if (__builtin_mul_overflow(product, factor, &product)) {
      return std::numeric_limits<std::int64_t>::max();
    }
  }
  return product;
}

/// Positions of a window along one axis. Within the limits nothing overflows.
std::int64_t slide(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                   std::int64_t padding, std::int64_t dilation) {
  const std::int64_t room = size + 2 * padding - (dilation * (kernel - 1) + 1);
  return room < 0 ? 0 : room / stride + 1;
}

std::string bits_text(int bits) { return bits == 0 ? "fp32" : std::to_string(bits) + " bits"; }

class NodeCheck {
 public:
  NodeCheck(const PackedNode& node, std::span<const PackedValue> inputs, const std::string& where,
            Contents contents)
      : node_(node), inputs_(inputs), where_(where), contents_(contents) {}

  void run() const;

 private:
  [[noreturn]] void fail(const std::string& what, const std::string& got,
                         const std::string& expected, const std::string& remedy = "") const {
    throw Error(ErrorText{.what = what,
                          .where = where_ + ", node " + node_.name,
                          .got = got,
                          .expected = expected,
                          .remedy = remedy});
  }
  void range(const std::string& what, std::int64_t value, std::int64_t low, std::int64_t high,
             const std::string& remedy = "") const {
    if (value >= low && value <= high) return;
    fail(what + " out of range", std::to_string(value),
         std::to_string(low) + " to " + std::to_string(high), remedy);
  }
  void range(const std::string& what, const graph::Extent& extent, std::int64_t low) const {
    range(what, extent.height, low, kMaxExtent);
    range(what, extent.width, low, kMaxExtent);
  }
  void count(const std::string& what, std::size_t got, std::size_t low, std::size_t high,
             const std::string& remedy = "") const {
    range(what, static_cast<std::int64_t>(std::min<std::size_t>(got, kMaxWeights)),
          static_cast<std::int64_t>(low), static_cast<std::int64_t>(high), remedy);
  }

  void check_shape() const;
  void expect_shape(const graph::Shape& expected) const;
  void expect_values(const std::string& what, const PackedValue& value) const;
  void check_numbers(const std::string& what, std::span<const float> numbers) const;
  void check_per_channel(const std::string& what, std::span<const float> numbers) const;
  void check_encoding(const std::string& what, int bits, Grid grid) const;
  void check_absent() const;
  void check_window() const;
  graph::Extent slide_over(const graph::Shape& in) const;
  void check_conv() const;
  void check_weights(std::int64_t weights) const;
  void check_blob(std::int64_t weights) const;
  void check_pad_code() const;
  void check_add() const;
  void check_pool() const;
  void check_flatten() const;
  void check_outputs() const;

  const PackedNode& node_;
  std::span<const PackedValue> inputs_;
  const std::string& where_;
  Contents contents_;
};

void NodeCheck::check_shape() const {
  // A flattened map has as many channels as it had elements, and so have sums of such.
  const bool flat = node_.op == PackedOp::flatten || node_.op == PackedOp::add;
  const bool is_vector = node_.shape.height == 1 && node_.shape.width == 1;
  range("channels", node_.shape.channels, 1, flat && is_vector ? kMaxElements : kMaxChannels);
  range("height", node_.shape.height, 1, kMaxExtent);
  range("width", node_.shape.width, 1, kMaxExtent);
  range("elements", node_.shape.elements(), 1, kMaxElements);
}

void NodeCheck::expect_shape(const graph::Shape& expected) const {
  if (node_.shape == expected) return;
  fail("shape does not follow from the operands", to_string(node_.shape), to_string(expected));
}

/// fp32, not codes.
void NodeCheck::expect_values(const std::string& what, const PackedValue& value) const {
  if (!value.encoding.is_codes()) return;
  fail(what + " has the wrong type", "codes of " + bits_text(value.encoding.bits), "fp32");
}

void NodeCheck::check_numbers(const std::string& what, std::span<const float> numbers) const {
  const auto bad = std::find_if_not(numbers.begin(), numbers.end(),
                                    [](float number) { return std::isfinite(number); });
  if (bad == numbers.end()) return;
  fail(what + " is not finite",
       number_text(*bad) + " at index " + std::to_string(bad - numbers.begin()), "finite numbers");
}

void NodeCheck::check_per_channel(const std::string& what, std::span<const float> numbers) const {
  if (contents_ == Contents::outline) return;
  if (static_cast<std::int64_t>(numbers.size()) != node_.shape.channels) {
    fail(what + " has the wrong size", std::to_string(numbers.size()) + " numbers",
         std::to_string(node_.shape.channels) + ", one per channel");
  }
  check_numbers(what, numbers);
}

void NodeCheck::check_encoding(const std::string& what, int bits, Grid grid) const {
  range(what + " bits", bits, kMinBits, kMaxBits);
  if (grid == Grid::mid_tread && bits == 1) {
    fail(what + " mid-tread grid with too few bits", "1 bit", "2 to 8",
         "the mid-rise grid for 1 bit");
  }
}

/// What the node's operator has no use for.
void NodeCheck::check_absent() const {
  if (node_.op != PackedOp::conv) {
    const PackedWeights& w = node_.weights;
    if (!w.bytes.empty() || !w.scale.empty() || !w.bias.empty()) {
      fail("weights out of place", std::string(packed_op_name(node_.op)), "a convolution");
    }
  }
  const bool windowed = node_.op == PackedOp::conv || node_.op == PackedOp::max_pool ||
                        node_.op == PackedOp::avg_pool;
  if (!windowed && node_.window != Window{}) {
    fail("window out of place", std::string(packed_op_name(node_.op)), "a convolution or pool");
  }
}

void NodeCheck::check_window() const {
  range("kernel", node_.window.kernel, 1);
  range("stride", node_.window.stride, 1);
  range("padding", node_.window.padding, 0);
  range("dilation", node_.window.dilation, 1);
  range("groups", node_.window.groups, 1, kMaxChannels);
}

graph::Extent NodeCheck::slide_over(const graph::Shape& in) const {
  const Window& w = node_.window;
  const graph::Extent out(
      slide(in.height, w.kernel.height, w.stride.height, w.padding.height, w.dilation.height),
      slide(in.width, w.kernel.width, w.stride.width, w.padding.width, w.dilation.width));
  if (out.height < 1 || out.width < 1) {
    fail("window does not fit", "kernel " + to_string(w.kernel) + " on " + to_string(in),
         "a window no larger than the padded picture");
  }
  return out;
}

void NodeCheck::check_conv() const {
  check_window();
  const PackedValue& input = inputs_[0];
  const Window& w = node_.window;
  const std::int64_t channels = node_.shape.channels;
  if (input.shape.channels % w.groups != 0 || channels % w.groups != 0) {
    fail("groups do not divide the channels",
         std::to_string(w.groups) + " groups for " + std::to_string(input.shape.channels) + " to " +
             std::to_string(channels) + " channels",
         "a common divisor");
  }
  const graph::Extent out = slide_over(input.shape);
  expect_shape({channels, out.height, out.width});
  const std::int64_t weights = saturating_product(
      {channels, input.shape.channels / w.groups, w.kernel.height, w.kernel.width});
  range("weights", weights, 1, kMaxWeights);
  range("multiply-accumulates", saturating_product({weights, out.height, out.width}), 1, kMaxMacs);
  check_weights(weights);
  check_pad_code();
  check_per_channel("scale", node_.weights.scale);
  check_per_channel("bias", node_.weights.bias);
  if (inputs_.size() == 2) {
    expect_values("the residual", inputs_[1]);
    if (inputs_[1].shape != node_.shape) {
      fail("the residual has the wrong shape", to_string(inputs_[1].shape), to_string(node_.shape));
    }
  }
}

void NodeCheck::check_weights(std::int64_t weights) const {
  const PackedWeights& w = node_.weights;
  const Encoding& input = inputs_[0].encoding;
  const bool codes = w.bits != 0;
  if (codes) check_encoding("weights:", w.bits, w.grid);
  if (codes != input.is_codes()) {
    fail("weights and input are of different kinds",
         "weights of " + bits_text(w.bits) + ", input of " + bits_text(input.bits),
         "codes of both or fp32 of both");
  }
  if (contents_ == Contents::whole) check_blob(weights);
}

void NodeCheck::check_blob(std::int64_t weights) const {
  const PackedWeights& w = node_.weights;
  const bool codes = w.bits != 0;
  const auto count = static_cast<std::size_t>(weights);
  const std::size_t size = codes ? dense_bytes(count, w.bits) : count * sizeof(float);
  if (w.bytes.size() != size) {
    fail("weights have the wrong size", std::to_string(w.bytes.size()) + " bytes",
         std::to_string(size) + " for " + std::to_string(weights) + " weights of " +
             bits_text(w.bits));
  }
  if (!codes) {
    // Not as a span of floats: nothing says that the bytes of a model in memory are aligned.
    for (std::size_t i = 0; i < count; ++i) {
      float weight = 0.0f;
      std::memcpy(&weight, w.bytes.data() + i * sizeof weight, sizeof weight);
      if (std::isfinite(weight)) continue;
      fail("a weight is not finite", number_text(weight) + " at index " + std::to_string(i),
           "finite numbers");
    }
    return;
  }
  const std::size_t used = (count * static_cast<std::size_t>(w.bits) - 1) % 8 + 1;
  if (std::to_integer<unsigned>(w.bytes.back()) >> used != 0) {
    fail("unused bits of the weights are not zero", "", "zeros behind the last code");
  }
}

void NodeCheck::check_pad_code() const {
  const Encoding& input = inputs_[0].encoding;
  range("pad_code", node_.weights.pad_code, kLeaveOut,
        input.is_codes() ? max_code(input.bits) : kLeaveOut);
}

void NodeCheck::check_add() const {
  for (const PackedValue& input : inputs_) {
    expect_values("an operand", input);
    expect_shape(input.shape);
  }
}

void NodeCheck::check_pool() const {
  check_window();
  const Window& w = node_.window;
  if (w.dilation != graph::Extent{1} || w.groups != 1) {
    fail("a pool has dilation or groups",
         "dilation " + to_string(w.dilation) + ", groups " + std::to_string(w.groups), "1 of both");
  }
  expect_values("the operand", inputs_[0]);
  const graph::Extent out = slide_over(inputs_[0].shape);
  expect_shape({inputs_[0].shape.channels, out.height, out.width});
  // The first window ends, and the last one begins, inside the picture exactly then.
  if (w.padding.height >= w.kernel.height || w.padding.width >= w.kernel.width) {
    fail("a window of the pool lies outside the picture",
         "kernel " + to_string(w.kernel) + " padded by " + to_string(w.padding),
         "a padding smaller than the kernel");
  }
}

void NodeCheck::check_flatten() const {
  expect_values("the operand", inputs_[0]);
  expect_shape({inputs_[0].shape.elements(), 1, 1});
}

void NodeCheck::check_outputs() const {
  count("number of outputs", node_.outputs.size(), 1, kMaxOutputs,
        "fewer layers that read this node's value");
  for (std::size_t i = 0; i < node_.outputs.size(); ++i) {
    const std::string name = "output " + std::to_string(i);
    const PackedOutput& output = node_.outputs[i];
    count(name + ": number of stages", output.stages.size(), 0, kMaxStages,
          "fewer batch norms and ReLUs between this node and the next");
    for (const Stage& stage : output.stages) {
      if (stage.kind == Stage::Kind::affine) {
        check_per_channel(name + ": scale", stage.scale);
        check_per_channel(name + ": bias", stage.bias);
      } else if (!stage.scale.empty() || !stage.bias.empty()) {
        fail(name + ": a stage other than affine has parameters",
             std::to_string(stage.scale.size() + stage.bias.size()) + " numbers", "none");
      }
    }
    const Encoding& e = output.encoding;
    if (!e.is_codes()) continue;
    check_encoding(name + ":", e.bits, e.grid);
    if (!(e.step > 0.0f) || !std::isfinite(e.step)) {
      fail(name + ": step out of range", number_text(e.step), "a finite number above 0");
    }
    if (!is_usable_step(e.step, e.grid, e.bits)) {
      fail(name + ": the largest value of a step is not finite", number_text(e.step),
           "at most " + number_text(largest_step(e.grid, e.bits)));
    }
  }
}

void NodeCheck::run() const {
  check_shape();
  check_absent();
  const bool conv = node_.op == PackedOp::conv;
  const bool input = node_.op == PackedOp::input;
  const std::size_t lowest = input ? 0 : node_.op == PackedOp::add ? 2 : 1;
  count("number of operands", inputs_.size(), lowest, conv ? 2 : lowest);
  switch (node_.op) {
    case PackedOp::conv:
      check_conv();
      break;
    case PackedOp::add:
      check_add();
      break;
    case PackedOp::max_pool:
    case PackedOp::avg_pool:
      check_pool();
      break;
    case PackedOp::flatten:
      check_flatten();
      break;
    case PackedOp::input:
      break;
  }
  check_outputs();
}

}  // namespace

void check_packed_node(const PackedNode& node, std::span<const PackedValue> inputs,
                       const std::string& where, Contents contents) {
  NodeCheck(node, inputs, where, contents).run();
}

}  // namespace uniq::format
