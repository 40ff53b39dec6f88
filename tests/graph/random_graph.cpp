#include "tests/graph/random_graph.h"

#include "uniq/base/error.h"
#include "uniq/graph/shape.h"

namespace uniq::graph {
namespace {

std::int64_t pick(std::mt19937& random, std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

Extent pick_extent(std::mt19937& random, std::int64_t low, std::int64_t high) {
  return {pick(random, low, high), pick(random, low, high)};
}

double pick_fraction(std::mt19937& random) {
  return std::uniform_real_distribution<double>(0.0, 1.0)(random);
}

Op random_op(std::mt19937& random, const Shape& in) {
  switch (pick(random, 0, 9)) {
    case 0:
    case 1: {
      const std::int64_t groups = pick(random, 0, 2) == 0 ? in.channels : 1;
      return Conv2d{.out_channels = groups * pick(random, 1, 3),
                    .kernel = pick_extent(random, 1, 5),
                    .stride = pick_extent(random, 1, 2),
                    .padding = pick_extent(random, 0, 3),
                    .dilation = pick_extent(random, 1, 2),
                    .groups = groups,
                    .bias = pick(random, 0, 1) == 1};
    }
    case 2:
      return BatchNorm{.eps = 1e-6 + pick_fraction(random), .momentum = pick_fraction(random)};
    case 3:
      return Relu{};
    case 4:
      return Relu6{};
    case 5:
      return MaxPool{pick_extent(random, 1, 3), pick_extent(random, 1, 3),
                     pick_extent(random, 0, 1)};
    case 6:
      return AvgPool{pick_extent(random, 1, 3), pick_extent(random, 1, 3),
                     pick_extent(random, 0, 1)};
    case 7:
      return Dropout{pick_fraction(random) * 0.999};
    case 8:
      return Linear{pick(random, 1, 9), pick(random, 0, 1) == 1};
    default:
      break;
  }
  return pick(random, 0, 3) > 0   ? Op(Relu{})
         : pick(random, 0, 1) > 0 ? Op(Flatten{})
                                  : Op(GlobalAvgPool{});
}

/// A chain whose adds reach back to any earlier value of the same shape: all values are used.
class Chain {
 public:
  explicit Chain(std::mt19937& random) : random_(random) {
    append(Input{{pick(random, 1, 4), pick(random, 1, 20), pick(random, 1, 20)}}, {});
  }

  void grow() {
    const NodeId last = static_cast<NodeId>(nodes_.size()) - 1;
    if (pick(random_, 0, 4) == 0) {
      append(Add{}, {last, partner(last)});
    } else if (!append(random_op(random_, nodes_.back().shape), {last})) {
      append(Relu{}, {last});
    }
  }

  Graph finish() {
    append(Output{}, {static_cast<NodeId>(nodes_.size()) - 1});
    return Graph(nodes_);
  }

 private:
  NodeId partner(NodeId last) {
    std::vector<NodeId> fitting;
    for (NodeId id = 0; id <= last; ++id) {
      if (nodes_[static_cast<std::size_t>(id)].shape == nodes_.back().shape) fitting.push_back(id);
    }
    return fitting[static_cast<std::size_t>(pick(random_, 0, std::ssize(fitting) - 1))];
  }

  bool append(const Op& op, const std::vector<NodeId>& operands) {
    std::vector<Shape> shapes;
    for (const NodeId id : operands) shapes.push_back(nodes_[static_cast<std::size_t>(id)].shape);
    try {
      const Shape shape = infer_shape(op, shapes, "");
      nodes_.push_back({name(), op, operands, shape});
      return true;
    } catch (const UsageError&) {
      return false;
    }
  }

  std::string name() {
    static constexpr std::string_view kCharacters = "abzAZ059_-./:";
    std::string name = std::to_string(nodes_.size()) + "/";
    for (std::int64_t length = pick(random_, 0, 12); length > 0; --length) {
      name += kCharacters[static_cast<std::size_t>(pick(random_, 0, 12))];
    }
    // No part between dots may be empty.
    for (std::size_t at = name.find(".."); at != std::string::npos; at = name.find("..")) {
      name.erase(at, 1);
    }
    if (name.back() == '.') name.pop_back();
    return name;
  }

  std::mt19937& random_;
  std::vector<Node> nodes_;
};

}  // namespace

Graph random_graph(std::mt19937& random, int nodes) {
  Chain chain(random);
  for (int i = 0; i < nodes; ++i) chain.grow();
  return chain.finish();
}

}  // namespace uniq::graph
