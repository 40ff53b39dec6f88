// Small valid packed models, for every test that needs one.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "uniq/format/packed_model.h"

namespace uniq::testing {

/// What ModelMaker makes of a node's value: stages in this order, then the encoding.
struct OutputSpec {
  bool affine = false;  ///< numbers drawn by the maker, factors of both signs
  bool relu = false;
  bool relu6 = false;
  format::Encoding encoding = {};  ///< fp32
};

struct ConvSpec {
  std::int64_t out_channels = 1;
  format::Window window = {};
  int bits = 2;  ///< 0: fp32
  Grid grid = Grid::mid_rise;
  int pad_code = format::kLeaveOut;
  int residual = -1;  ///< number of a value
};

/// Puts a model together node by node. Codes and numbers are drawn from the seed, the same on every
/// machine: codes over their whole range, and factors so small that values stay around 1.
class ModelMaker {
 public:
  explicit ModelMaker(unsigned seed);

  /// Each adds a node and returns the number of its first value; its other outputs follow.
  int input(const graph::Shape& shape, const std::vector<OutputSpec>& outputs);
  int conv(const std::string& name, int input, const ConvSpec& spec,
           const std::vector<OutputSpec>& outputs);
  int add(const std::string& name, int a, int b, const std::vector<OutputSpec>& outputs);
  int pool(const std::string& name, format::PackedOp op, int input, const format::Window& window,
           const std::vector<OutputSpec>& outputs);
  int flatten(const std::string& name, int input, const std::vector<OutputSpec>& outputs);

  /// The model, whose `storage` keeps its numbers. Its pictures are those of the input node, its
  /// classes `class0`, `class1`, ...
  format::PackedModel finish(int output);

 private:
  struct Buffers {
    std::deque<std::vector<float>> floats;
    std::deque<std::vector<std::byte>> bytes;
  };

  float uniform();  ///< -1 to 1
  std::span<const float> numbers(std::int64_t count, float center, float spread, bool both_signs);
  std::span<const std::byte> codes(std::int64_t count, int bits);
  std::span<const std::byte> floats(std::int64_t count);
  int add_node(format::PackedNode node, const std::vector<OutputSpec>& outputs);

  std::mt19937 random_;
  std::shared_ptr<Buffers> buffers_ = std::make_shared<Buffers>();
  format::PackedModel model_;
  std::vector<format::PackedValue> values_;
};

struct SmallModelOptions {
  int weight_bits = 2;
  int activation_bits = 2;
  Grid weight_grid = Grid::mid_rise;
  Grid activation_grid = Grid::unsigned_;
  unsigned seed = 1;
};

/// A network with every operator on 3x9x7 pictures, 5 classes: two outputs of a node, both ways of
/// the border, groups, depthwise, dilation, strides of 2, residuals, affine maps with negative
/// factors, ReLU, ReLU6, every grid, an fp32 convolution. Weights and activations in the middle are
/// as the options say, others have 1, 3, 4 and 8 bits.
format::PackedModel small_model(const SmallModelOptions& options = {});

/// One convolution `long` of 8-bit weights and codes over all of a kernel x kernel map, so with
/// channels * kernel^2 terms a sum.
format::PackedModel long_sums(std::int64_t channels, std::int64_t kernel);

/// A picture that so many layers read, each as codes of another step.
format::PackedModel many_outputs(int count);

/// As many pre-activation residual blocks as asked for, one convolution each (a residual, two
/// outputs: fp32, and affine, ReLU, codes), between a first convolution and a classifier.
format::PackedModel residual_chain(int blocks);

}  // namespace uniq::testing
