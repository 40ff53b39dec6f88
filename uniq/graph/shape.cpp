#include "uniq/graph/shape.h"

#include <cmath>
#include <initializer_list>
#include <limits>

#include "uniq/base/error.h"
#include "uniq/base/text.h"
#include "uniq/graph/limits.h"

namespace uniq::graph {
namespace {

/// Product of positive factors, or the largest integer where it would overflow.
std::int64_t saturating_product(std::initializer_list<std::int64_t> factors) {
  std::int64_t product = 1;
  for (const std::int64_t factor : factors) {
    if (__builtin_mul_overflow(product, factor, &product)) {
      return std::numeric_limits<std::int64_t>::max();
    }
  }
  return product;
}

std::string map_text(const Extent& extent) {
  return std::to_string(extent.height) + "x" + std::to_string(extent.width);
}

/// How a window walks over a map.
struct Window {
  Extent kernel;
  Extent stride;
  Extent padding;
  Extent dilation = 1;
};

/// One overload per operator; std::visit picks it.
class Inference {
 public:
  Inference(std::span<const Shape> operands, const std::string& where)
      : operands_(operands), where_(where) {}

  Shape operator()(const Input& op) const {
    expect_operands(0);
    if (op.shape.height < 1 || op.shape.width < 1) {
      fail("input is not a picture", to_string(op.shape), "channels, height and width", "");
    }
    return checked(op.shape);
  }

  Shape operator()(const Output&) const { return only(); }
  Shape operator()(const Relu&) const { return only(); }
  Shape operator()(const Relu6&) const { return only(); }

  Shape operator()(const Conv2d& op) const {
    const Shape in = only_map("convolution");
    check_range("output channels", op.out_channels, 1, kMaxChannels);
    check_range("groups", op.groups, 1, kMaxChannels);
    if (in.channels % op.groups != 0 || op.out_channels % op.groups != 0) {
      fail("groups do not divide the channels",
           std::to_string(op.groups) + " groups for " + std::to_string(in.channels) + " to " +
               std::to_string(op.out_channels) + " channels",
           "a common divisor", "groups=1");
    }
    const Extent out = slide("convolution", in, {op.kernel, op.stride, op.padding, op.dilation});
    check_work({op.out_channels, in.channels / op.groups, op.kernel.height, op.kernel.width},
               saturating_product({out.height, out.width}));
    return checked({op.out_channels, out.height, out.width});
  }

  Shape operator()(const Linear& op) const {
    const Shape in = only();
    if (!in.is_vector()) {
      fail("linear layer does not fit", "a map of " + to_string(in), "a vector",
           "flatten in front of it");
    }
    check_range("output features", op.out_features, 1, kMaxChannels);
    check_work({op.out_features, in.channels}, 1);
    return {op.out_features, 0, 0};
  }

  Shape operator()(const BatchNorm& op) const {
    if (!(op.eps > 0.0) || !std::isfinite(op.eps)) {
      fail("eps is out of range", number_text(op.eps), "a positive number", "eps=1e-05");
    }
    if (!(op.momentum >= 0.0 && op.momentum <= 1.0)) {
      fail("momentum is out of range", number_text(op.momentum), "0 to 1", "momentum=0.1");
    }
    return only();
  }

  Shape operator()(const Add&) const {
    expect_operands(2);
    if (operands_[0] != operands_[1]) {
      fail("operands of add differ in shape",
           to_string(operands_[0]) + " and " + to_string(operands_[1]), "equal shapes",
           "a 1x1 convolution with the other one's channels and stride on the shortcut");
    }
    return operands_[0];
  }

  Shape operator()(const MaxPool& op) const { return pool("max pool", op); }
  Shape operator()(const AvgPool& op) const { return pool("average pool", op); }
  Shape operator()(const GlobalAvgPool&) const {
    return {only_map("global average pool").channels, 1, 1};
  }
  Shape operator()(const Flatten&) const { return {only_map("flatten").elements(), 0, 0}; }

  Shape operator()(const Dropout& op) const {
    if (!(op.p >= 0.0 && op.p < 1.0)) {
      fail("dropout's p is out of range", number_text(op.p), "0 to less than 1", "p=0.5");
    }
    return only();
  }

 private:
  [[noreturn]] void fail(const std::string& what, const std::string& got,
                         const std::string& expected, const std::string& remedy) const {
    throw UsageError(ErrorText{"graph: " + what, where_, got, expected, remedy});
  }

  void expect_operands(std::size_t count) const {
    if (operands_.size() == count) return;
    fail("wrong number of operands", std::to_string(operands_.size()), std::to_string(count), "");
  }

  const Shape& only() const {
    expect_operands(1);
    return operands_[0];
  }

  const Shape& only_map(const std::string& what) const {
    const Shape& shape = only();
    if (shape.is_vector()) {
      fail(what + " does not fit", "a vector of " + to_string(shape), "a map",
           "it in front of flatten");
    }
    return shape;
  }

  void check_range(const std::string& what, std::int64_t value, std::int64_t low,
                   std::int64_t high) const {
    if (value >= low && value <= high) return;
    fail(what + " out of range", std::to_string(value),
         std::to_string(low) + " to " + std::to_string(high), "");
  }

  void check_range(const std::string& what, const Extent& extent, std::int64_t low) const {
    check_range(what, extent.height, low, kMaxExtent);
    check_range(what, extent.width, low, kMaxExtent);
  }

  Shape checked(const Shape& shape) const {
    check_range("channels", shape.channels, 1, kMaxChannels);
    check_range("height", shape.height, 1, kMaxExtent);
    check_range("width", shape.width, 1, kMaxExtent);
    check_range("elements", shape.elements(), 1, kMaxElements);
    return shape;
  }

  void check_work(std::initializer_list<std::int64_t> weight_shape, std::int64_t positions) const {
    const std::int64_t weights = saturating_product(weight_shape);
    check_range("weights", weights, 1, kMaxWeights);
    check_range("multiply-accumulates", saturating_product({weights, positions}), 1, kMaxMacs);
  }

  std::int64_t slide(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                     std::int64_t padding, std::int64_t dilation) const {
    const std::int64_t span = dilation * (kernel - 1) + 1;
    const std::int64_t room = size + 2 * padding - span;
    return room < 0 ? 0 : room / stride + 1;
  }

  Extent slide(const std::string& what, const Shape& in, const Window& window) const {
    check_range("kernel", window.kernel, 1);
    check_range("stride", window.stride, 1);
    check_range("padding", window.padding, 0);
    check_range("dilation", window.dilation, 1);
    const Extent out{slide(in.height, window.kernel.height, window.stride.height,
                           window.padding.height, window.dilation.height),
                     slide(in.width, window.kernel.width, window.stride.width, window.padding.width,
                           window.dilation.width)};
    if (out.height > 0 && out.width > 0) return out;
    std::string got = "kernel " + map_text(window.kernel);
    if (window.dilation != Extent{1}) got += " with dilation " + map_text(window.dilation);
    got += " on " + map_text({in.height, in.width});
    if (window.padding != Extent{0}) got += " padded by " + map_text(window.padding);
    fail(what + " does not fit", got, "a window no larger than the padded map",
         "a smaller kernel, more padding or larger pictures");
  }

  template <class Pool>
  Shape pool(const std::string& what, const Pool& op) const {
    const Shape in = only_map(what);
    const Extent out = slide(what, in, {op.kernel, op.stride, op.padding});
    // PyTorch's rule; it also keeps every window of a max pool on at least one pixel.
    if (2 * op.padding.height > op.kernel.height || 2 * op.padding.width > op.kernel.width) {
      fail(what + " is padded too far", map_text(op.padding), "at most half of the kernel",
           "padding=" + to_string(Extent{op.kernel.height / 2, op.kernel.width / 2}));
    }
    return checked({in.channels, out.height, out.width});
  }

  std::span<const Shape> operands_;
  const std::string& where_;
};

}  // namespace

Shape infer_shape(const Op& op, std::span<const Shape> operands, const std::string& where) {
  return std::visit(Inference(operands, where), op);
}

}  // namespace uniq::graph
