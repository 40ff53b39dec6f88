#include "tests/format/bad_models.h"

#include <limits>

namespace uniq::testing {
namespace {

using format::PackedModel;
using format::PackedNode;
using format::PackedOp;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Nodes of small_model().
enum Which {
  input,
  stem,
  conv1,
  grouped,
  depthwise,
  shortcut,
  mix,
  fp32,
  add,
  max,
  avg,
  flat,
  hidden,
  fc
};

/// A change of one node, and its message, which names the node.
BadModel bad(Which which, const std::string& name, const std::function<void(PackedNode&)>& change,
             const std::string& what, const std::string& rest) {
  return {[which, change](PackedModel& model) { change(model.nodes[which]); },
          what + " (m.uniq, node " + name + "): " + rest};
}

std::span<const float> floats(std::size_t count, float last) {
  static std::vector<std::vector<float>> kept;
  kept.emplace_back(count, 1.0f).back() = last;
  return kept.back();
}

std::span<const std::byte> bytes(std::size_t count, std::byte value) {
  static std::vector<std::vector<std::byte>> kept;
  return kept.emplace_back(count, value);
}

void add_whole(std::vector<BadModel>& list) {
  const std::string name_rule = ", expected 1 to 256 bytes of UTF-8 without control characters";
  list.push_back({[](PackedModel& m) { m.nodes.clear(); },
                  "number of nodes out of range (m.uniq): got 0, expected 1 to 100000"});
  const auto bad_name = [&](const std::string& name, const std::string& got) {
    list.push_back({[name](PackedModel& m) { m.nodes[stem].name = name; },
                    "name of a node is not valid (m.uniq, node number 1): got " + got + name_rule});
  };
  bad_name("", "''");
  bad_name(std::string(257, 'a'), "257 bytes");
  bad_name("a\nb", "'a\\x0ab'");
  bad_name(std::string("a\0b", 3), "'a\\x00b'");
  bad_name("a\x7f", "'a\\x7f'");
  // A continuation alone, forms that are too long, a surrogate, beyond the last character, cut off,
  // a byte that never occurs, a control character of two bytes.
  for (const auto& [bytes, shown] : std::initializer_list<std::pair<const char*, const char*>>{
           {"\x80", "\\x80"},
           {"\xc0\x80", "\\xc0\\x80"},
           {"\xc1\xbf", "\\xc1\\xbf"},
           {"\xe0\x9f\xbf", "\\xe0\\x9f\\xbf"},
           {"\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf"},
           {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
           {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
           {"\xe5\xb1", "\\xe5\\xb1"},
           {"\xff", "\\xff"},
           {"\xc2\x85", "\\u0085"}}) {
    bad_name(bytes, "'" + std::string(shown) + "'");
  }
  list.push_back({[](PackedModel& m) { m.nodes[fc].name = "stem"; },
                  "two nodes have one name (m.uniq, node stem): got stem, expected unique names"});
  list.push_back({[](PackedModel& m) { m.output = 17; },
                  "output of the network is no value (m.uniq): got value 17, expected 0 to 16"});
  list.push_back({[](PackedModel& m) { m.output = -1; },
                  "output of the network is no value (m.uniq): got value -1, expected 0 to 16"});
  list.push_back({[](PackedModel& m) { m.output = 14; },
                  "output of the network has the wrong type (m.uniq, node flatten): got codes of 8 "
                  "bits, expected fp32"});
  list.push_back({[](PackedModel& m) { m.output = 13; },
                  "output of the network has the wrong shape (m.uniq, node avg_pool): got 8x2x3, "
                  "expected a vector, [classes, 1, 1]"});
  list.push_back({[](PackedModel& m) { m.classes.pop_back(); },
                  "classes do not fit the output (m.uniq): got 4 names, expected 5, or none"});
  list.push_back({[](PackedModel& m) { m.classes[2] = "\t"; },
                  "name of a class is not valid (m.uniq, class 2): got '\\x09'" + name_rule +
                      "; try another name in the data set's file of names"});
  list.push_back({[](PackedModel& m) { m.preprocessing.height = 10; },
                  "preprocessing does not fit the input (m.uniq, node input): got 3x10x7, expected "
                  "3x9x7"});
  list.push_back({[](PackedModel& m) { m.preprocessing.mean[1] = kNan; },
                  "mean out of range (m.uniq): got nan, expected a finite number"});
}

void add_structure(std::vector<BadModel>& list) {
  const auto operands = [&list](Which which, const std::string& name, std::vector<int> inputs,
                                const std::string& what, const std::string& rest) {
    list.push_back(bad(
        which, name, [inputs](PackedNode& n) { n.inputs = inputs; }, what, rest));
  };
  const std::string early = "operand is not computed before its use";
  operands(stem, "stem", {15}, early, "got value 15, expected 0 to 1");
  operands(stem, "stem", {2}, early, "got value 2, expected 0 to 1");  // its own: a cycle
  operands(stem, "stem", {-1}, early, "got value -1, expected 0 to 1");
  operands(input, "input", {0}, early, "got value 0, expected no operand for the first node");
  const std::string number = "number of operands out of range";
  operands(stem, "stem", {}, number, "got 0, expected 1 to 2");
  operands(stem, "stem", {0, 1, 1}, number, "got 3, expected 1 to 2");
  operands(add, "add", {9}, number, "got 1, expected 2 to 2");
  operands(max, "max_pool", {11, 11}, number, "got 2, expected 1 to 1");
  operands(add, "add", {9, 8}, "an operand has the wrong type",
           "got codes of 1 bits, expected fp32");
  operands(add, "add", {9, 2}, "shape does not follow from the operands",
           "got 8x5x7, expected 8x9x7");
  operands(max, "max_pool", {5}, "the operand has the wrong type",
           "got codes of 4 bits, expected fp32");
  operands(flat, "flatten", {8}, "the operand has the wrong type",
           "got codes of 1 bits, expected fp32");
  operands(conv1, "layer1.0.conv1", {3, 3}, "the residual has the wrong type",
           "got codes of 2 bits, expected fp32");
  operands(conv1, "layer1.0.conv1", {3, 1}, "the residual has the wrong shape",
           "got 3x9x7, expected 8x9x7");
  operands(conv1, "layer1.0.conv1", {2, 2}, "weights and input are of different kinds",
           "got weights of 2 bits, input of fp32, expected codes of both or fp32 of both");
  operands(fp32, "picture.conv", {0}, "weights and input are of different kinds",
           "got weights of fp32, input of 8 bits, expected codes of both or fp32 of both");
  list.push_back(bad(
      add, "add", [](PackedNode& n) { n.op = PackedOp::input; }, "input is not in its place",
      "got input, expected one input, as the first node"));
  list.push_back(bad(
      input, "input", [](PackedNode& n) { n.op = PackedOp::add; }, "input is not in its place",
      "got add, expected one input, as the first node"));
  list.push_back(bad(
      fc, "fc", [](PackedNode& n) { n.outputs.emplace_back(); }, "value is never used",
      "got output 1 without a reader, expected at least one"));
  list.push_back(bad(
      max, "max_pool", [](PackedNode& n) { n.weights.scale = floats(8, 1); },
      "weights out of place", "got max_pool, expected a convolution"));
  list.push_back(bad(
      add, "add", [](PackedNode& n) { n.window.stride = 2; }, "window out of place",
      "got add, expected a convolution or pool"));
}

void add_shapes(std::vector<BadModel>& list) {
  const auto shape = [&list](Which which, const std::string& name, const graph::Shape& changed,
                             const std::string& what, const std::string& rest) {
    list.push_back(bad(
        which, name, [changed](PackedNode& n) { n.shape = changed; }, what, rest));
  };
  shape(stem, "stem", {0, 9, 7}, "channels out of range", "got 0, expected 1 to 1048576");
  shape(stem, "stem", {1 << 21, 9, 7}, "channels out of range",
        "got 2097152, expected 1 to 1048576");
  shape(stem, "stem", {8, 0, 7}, "height out of range", "got 0, expected 1 to 65536");
  shape(stem, "stem", {8, 9, 65537}, "width out of range", "got 65537, expected 1 to 65536");
  shape(stem, "stem", {1 << 20, 1 << 16, 1 << 16}, "elements out of range",
        "got 4503599627370496, expected 1 to 2147483647");
  const std::string what = "shape does not follow from the operands";
  shape(stem, "stem", {8, 9, 8}, what, "got 8x9x8, expected 8x9x7");
  shape(max, "max_pool", {7, 3, 4}, what, "got 7x3x4, expected 8x3x4");
  shape(flat, "flatten", {47, 1, 1}, what, "got 47x1x1, expected 48x1x1");
  shape(flat, "flatten", {48, 0, 0}, "height out of range", "got 0, expected 1 to 65536");
}

void add_windows(std::vector<BadModel>& list) {
  const auto window = [&list](Which which, const std::string& name,
                              const std::function<void(format::Window&)>& change,
                              const std::string& what, const std::string& rest) {
    list.push_back(bad(
        which, name, [change](PackedNode& n) { change(n.window); }, what, rest));
  };
  using W = format::Window;
  window(
      stem, "stem", [](W& w) { w.kernel.width = 0; }, "kernel out of range",
      "got 0, expected 1 to 65536");
  window(
      stem, "stem", [](W& w) { w.stride.height = 0; }, "stride out of range",
      "got 0, expected 1 to 65536");
  window(
      stem, "stem", [](W& w) { w.padding = 65537; }, "padding out of range",
      "got 65537, expected 0 to 65536");
  window(
      stem, "stem", [](W& w) { w.dilation = 0; }, "dilation out of range",
      "got 0, expected 1 to 65536");
  window(
      stem, "stem", [](W& w) { w.groups = 0; }, "groups out of range",
      "got 0, expected 1 to 1048576");
  window(
      stem, "stem", [](W& w) { w.groups = 2; }, "groups do not divide the channels",
      "got 2 groups for 3 to 8 channels, expected a common divisor");
  window(
      conv1, "layer1.0.conv1", [](W& w) { w.groups = 16; }, "groups do not divide the channels",
      "got 16 groups for 8 to 8 channels, expected a common divisor");
  window(
      stem, "stem", [](W& w) { w.kernel = 12; }, "window does not fit",
      "got kernel 12 on 3x9x7, expected a window no larger than the padded picture");
  window(
      max, "max_pool", [](W& w) { w.dilation = 2; }, "a pool has dilation or groups",
      "got dilation 2, groups 1, expected 1 of both");
  window(
      avg, "avg_pool", [](W& w) { w.groups = 2; }, "a pool has dilation or groups",
      "got dilation 1, groups 2, expected 1 of both");
  list.push_back(bad(
      max, "max_pool",
      [](PackedNode& n) {
        n.window.kernel = 1;
        n.shape = {8, 4, 5};
      },
      "a window of the pool lies outside the picture",
      "got kernel 1 padded by 1, expected a padding smaller than the kernel"));
}

void add_weights(std::vector<BadModel>& list) {
  const auto weights = [&list](Which which, const std::string& name,
                               const std::function<void(format::PackedWeights&)>& change,
                               const std::string& what, const std::string& rest) {
    list.push_back(bad(
        which, name, [change](PackedNode& n) { change(n.weights); }, what, rest));
  };
  using W = format::PackedWeights;
  weights(
      stem, "stem", [](W& w) { w.bits = 9; }, "weights: bits out of range",
      "got 9, expected 1 to 8");
  weights(
      stem, "stem", [](W& w) { w.bits = -1; }, "weights: bits out of range",
      "got -1, expected 1 to 8");
  weights(
      shortcut, "layer1.0.downsample.0", [](W& w) { w.grid = Grid::mid_tread; },
      "weights: mid-tread grid with too few bits",
      "got 1 bit, expected 2 to 8; try the mid-rise grid for 1 bit");
  weights(
      stem, "stem", [](W& w) { w.bits = 0; }, "weights and input are of different kinds",
      "got weights of fp32, input of 8 bits, expected codes of both or fp32 of both");
  weights(
      stem, "stem", [](W& w) { w.bytes = w.bytes.first(215); }, "weights have the wrong size",
      "got 215 bytes, expected 216 for 216 weights of 8 bits");
  weights(
      fp32, "picture.conv", [](W& w) { w.bytes = w.bytes.first(860); },
      "weights have the wrong size", "got 860 bytes, expected 864 for 216 weights of fp32");
  weights(
      stem, "stem", [](W& w) { w.pad_code = 256; }, "pad_code out of range",
      "got 256, expected -1 to 255");
  weights(
      stem, "stem", [](W& w) { w.pad_code = -2; }, "pad_code out of range",
      "got -2, expected -1 to 255");
  weights(
      conv1, "layer1.0.conv1", [](W& w) { w.pad_code = 4; }, "pad_code out of range",
      "got 4, expected -1 to 3");
  weights(
      fp32, "picture.conv", [](W& w) { w.pad_code = 0; }, "pad_code out of range",
      "got 0, expected -1 to -1");
  weights(
      stem, "stem", [](W& w) { w.scale = w.scale.first(7); }, "scale has the wrong size",
      "got 7 numbers, expected 8, one per channel");
  weights(
      stem, "stem", [](W& w) { w.bias = floats(9, 1); }, "bias has the wrong size",
      "got 9 numbers, expected 8, one per channel");
  weights(
      stem, "stem", [](W& w) { w.scale = floats(8, kNan); }, "scale is not finite",
      "got nan at index 7, expected finite numbers");
  weights(
      stem, "stem", [](W& w) { w.bias = floats(8, -kInfinity); }, "bias is not finite",
      "got -inf at index 7, expected finite numbers");
  weights(
      fp32, "picture.conv", [](W& w) { w.bytes = std::as_bytes(floats(216, kInfinity)); },
      "a weight is not finite", "got inf at index 215, expected finite numbers");
  weights(
      fc, "fc", [](W& w) { w.bytes = bytes(10, std::byte{0xff}); },
      "unused bits of the weights are not zero", "expected zeros behind the last code");
}

void add_outputs(std::vector<BadModel>& list) {
  const auto output = [&list](Which which, const std::string& name,
                              const std::function<void(format::PackedOutput&)>& change,
                              const std::string& what, const std::string& rest) {
    list.push_back(bad(
        which, name, [change](PackedNode& n) { change(n.outputs.back()); }, what, rest));
  };
  using O = format::PackedOutput;
  list.push_back(bad(
      stem, "stem", [](PackedNode& n) { n.outputs.clear(); }, "number of outputs out of range",
      "got 0, expected 1 to 1024; try fewer layers that read this node's value"));
  list.push_back(bad(
      stem, "stem", [](PackedNode& n) { n.outputs.resize(1025); }, "number of outputs out of range",
      "got 1025, expected 1 to 1024; try fewer layers that read this node's value"));
  output(
      stem, "stem", [](O& o) { o.stages.resize(65); }, "output 1: number of stages out of range",
      "got 65, expected 0 to 64; try fewer batch norms and ReLUs between this node and the next");
  output(
      stem, "stem", [](O& o) { o.stages[0].bias = {}; }, "output 1: bias has the wrong size",
      "got 0 numbers, expected 8, one per channel");
  output(
      stem, "stem", [](O& o) { o.stages[0].scale = floats(8, kNan); },
      "output 1: scale is not finite", "got nan at index 7, expected finite numbers");
  output(
      stem, "stem", [](O& o) { o.stages[1].scale = floats(8, 1); },
      "output 1: a stage other than affine has parameters", "got 8 numbers, expected none");
  output(
      stem, "stem", [](O& o) { o.encoding.bits = 9; }, "output 1: bits out of range",
      "got 9, expected 1 to 8");
  output(
      shortcut, "layer1.0.downsample.0", [](O& o) { o.encoding.grid = Grid::mid_tread; },
      "output 1: mid-tread grid with too few bits",
      "got 1 bit, expected 2 to 8; try the mid-rise grid for 1 bit");
  const auto step = [&output](float value, const std::string& got) {
    output(
        stem, "stem", [value](O& o) { o.encoding.step = value; }, "output 1: step out of range",
        "got " + got + ", expected a finite number above 0");
  };
  step(0.0f, "0");
  step(-0.5f, "-0.5");
  step(kNan, "nan");
  step(kInfinity, "inf");
  output(
      stem, "stem",
      [](O& o) {
        o.encoding.bits = 2;
        o.encoding.grid = Grid::unsigned_;
        o.encoding.step = 3e38f;
      },
      "output 1: the largest value of a step is not finite",
      "got 3e+38, expected at most 1.1342745e+38");
}

}  // namespace

const std::vector<BadModel>& bad_models() {
  static const std::vector<BadModel> list = [] {
    std::vector<BadModel> all;
    add_whole(all);
    add_structure(all);
    add_shapes(all);
    add_windows(all);
    add_weights(all);
    add_outputs(all);
    return all;
  }();
  return list;
}

}  // namespace uniq::testing
