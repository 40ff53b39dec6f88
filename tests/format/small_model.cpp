#include "tests/format/small_model.h"

#include <cmath>
#include <cstring>
#include <utility>

namespace uniq::testing {

using format::Encoding;
using format::PackedModel;
using format::PackedNode;
using format::PackedOp;
using format::PackedOutput;
using format::PackedValue;
using format::Stage;
using format::Window;

namespace {

Encoding codes_of(int bits, Grid grid, float step) {
  return {.bits = bits, .grid = grid, .step = step};
}

}  // namespace

ModelMaker::ModelMaker(unsigned seed) : random_(seed) {}

float ModelMaker::uniform() {
  constexpr float kHalf = 2147483648.0f;
  return static_cast<float>(random_()) / kHalf - 1.0f;
}

std::span<const float> ModelMaker::numbers(std::int64_t count, float center, float spread,
                                           bool both_signs) {
  std::vector<float>& drawn = buffers_->floats.emplace_back();
  for (std::int64_t i = 0; i < count; ++i) {
    const float number = center + spread * uniform();
    drawn.push_back(both_signs && random_() % 4 == 0 ? -number : number);
  }
  return drawn;
}

std::span<const std::byte> ModelMaker::codes(std::int64_t count, int bits) {
  std::vector<std::uint8_t> drawn;
  for (std::int64_t i = 0; i < count; ++i) {
    drawn.push_back(static_cast<std::uint8_t>(random_() & static_cast<unsigned>(max_code(bits))));
  }
  std::vector<std::byte>& dense = buffers_->bytes.emplace_back();
  dense.resize(format::dense_bytes(drawn.size(), bits));
  format::pack_codes(drawn, bits, dense);
  return dense;
}

std::span<const std::byte> ModelMaker::floats(std::int64_t count) {
  return std::as_bytes(numbers(count, 0.0f, 0.5f, false));
}

int ModelMaker::add_node(PackedNode node, const std::vector<OutputSpec>& outputs) {
  const int first = static_cast<int>(values_.size());
  const std::int64_t channels = node.shape.channels;
  for (const OutputSpec& spec : outputs) {
    PackedOutput& output = node.outputs.emplace_back();
    output.encoding = spec.encoding;
    if (spec.affine) {
      output.stages.push_back({.kind = Stage::Kind::affine,
                               .scale = numbers(channels, 1.0f, 0.5f, true),
                               .bias = numbers(channels, 0.0f, 0.5f, false)});
    }
    if (spec.relu) output.stages.push_back({.kind = Stage::Kind::relu});
    if (spec.relu6) output.stages.push_back({.kind = Stage::Kind::relu6});
  }
  model_.nodes.push_back(std::move(node));
  values_ = values_of(model_);
  return first;
}

int ModelMaker::input(const graph::Shape& shape, const std::vector<OutputSpec>& outputs) {
  PackedNode node;
  node.name = "input";
  node.op = PackedOp::input;
  node.shape = shape;
  model_.preprocessing.channels = shape.channels;
  model_.preprocessing.height = shape.height;
  model_.preprocessing.width = shape.width;
  for (std::int64_t c = 0; c < shape.channels; ++c) {
    model_.preprocessing.mean.push_back(0.25f + 0.125f * static_cast<float>(c));
    model_.preprocessing.deviation.push_back(0.5f);
  }
  return add_node(std::move(node), outputs);
}

int ModelMaker::conv(const std::string& name, int input, const ConvSpec& spec,
                     const std::vector<OutputSpec>& outputs) {
  const PackedValue in = values_[static_cast<std::size_t>(input)];
  const Window& w = spec.window;
  const auto slide = [](std::int64_t size, std::int64_t kernel, std::int64_t stride,
                        std::int64_t padding, std::int64_t dilation) {
    return (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
  };
  PackedNode node;
  node.name = name;
  node.op = PackedOp::conv;
  node.inputs = {input};
  if (spec.residual >= 0) node.inputs.push_back(spec.residual);
  node.window = w;
  node.shape = {
      spec.out_channels,
      slide(in.shape.height, w.kernel.height, w.stride.height, w.padding.height, w.dilation.height),
      slide(in.shape.width, w.kernel.width, w.stride.width, w.padding.width, w.dilation.width)};
  const std::int64_t terms = in.shape.channels / w.groups * w.kernel.height * w.kernel.width;
  const std::int64_t weights = spec.out_channels * terms;
  node.weights.bits = spec.bits;
  node.weights.pad_code = spec.pad_code;
  float scale = 1.0f / std::sqrt(static_cast<float>(terms));
  if (spec.bits == 0) {
    node.weights.bytes = floats(weights);
  } else {
    node.weights.grid = spec.grid;
    node.weights.bytes = codes(weights, spec.bits);
    scale /= static_cast<float>(max_code(spec.bits) * max_code(in.encoding.bits));
  }
  node.weights.scale = numbers(spec.out_channels, scale, scale / 2, true);
  node.weights.bias = numbers(spec.out_channels, 0.0f, 0.5f, false);
  return add_node(std::move(node), outputs);
}

int ModelMaker::add(const std::string& name, int a, int b, const std::vector<OutputSpec>& outputs) {
  PackedNode node;
  node.name = name;
  node.op = PackedOp::add;
  node.inputs = {a, b};
  node.shape = values_[static_cast<std::size_t>(a)].shape;
  return add_node(std::move(node), outputs);
}

int ModelMaker::pool(const std::string& name, PackedOp op, int input, const Window& window,
                     const std::vector<OutputSpec>& outputs) {
  const graph::Shape in = values_[static_cast<std::size_t>(input)].shape;
  PackedNode node;
  node.name = name;
  node.op = op;
  node.inputs = {input};
  node.window = window;
  node.shape = {
      in.channels,
      (in.height + 2 * window.padding.height - window.kernel.height) / window.stride.height + 1,
      (in.width + 2 * window.padding.width - window.kernel.width) / window.stride.width + 1};
  return add_node(std::move(node), outputs);
}

int ModelMaker::flatten(const std::string& name, int input,
                        const std::vector<OutputSpec>& outputs) {
  PackedNode node;
  node.name = name;
  node.op = PackedOp::flatten;
  node.inputs = {input};
  node.shape = {values_[static_cast<std::size_t>(input)].shape.elements(), 1, 1};
  return add_node(std::move(node), outputs);
}

PackedModel ModelMaker::finish(int output) {
  PackedModel model = std::move(model_);
  model.output = output;
  const std::int64_t classes = values_[static_cast<std::size_t>(output)].shape.channels;
  for (std::int64_t i = 0; i < classes; ++i) model.classes.push_back("class" + std::to_string(i));
  model.storage = std::move(buffers_);
  return model;
}

PackedModel small_model(const SmallModelOptions& o) {
  const Encoding activation = codes_of(o.activation_bits, o.activation_grid,
                                       2.0f / static_cast<float>(max_code(o.activation_bits)));
  const Window same3{.kernel = 3, .padding = 1};
  const Window halve3{.kernel = 3, .stride = {2, 1}, .padding = 1};
  ModelMaker m(o.seed);
  // The picture as codes of the mid-rise grid, for the stem, and as fp32.
  const int picture =
      m.input({3, 9, 7}, {{.encoding = codes_of(8, Grid::mid_rise, 0.0078125f)}, {.encoding = {}}});
  const int stem = m.conv("stem", picture, {.out_channels = 8, .window = same3, .bits = 8},
                          {{}, {.affine = true, .relu = true, .encoding = activation}});
  const int conv0 = m.conv("layer1.0.conv1", stem + 1,
                           {.out_channels = 8,
                            .window = same3,
                            .bits = o.weight_bits,
                            .grid = o.weight_grid,
                            .pad_code = 0,
                            .residual = stem},
                           {{.affine = true, .relu = true, .encoding = activation}});
  Window grouped = halve3;
  grouped.groups = 2;
  const int conv1 =
      m.conv("layer1.0.conv2", conv0,
             {.out_channels = 8, .window = grouped, .bits = o.weight_bits, .grid = o.weight_grid},
             {{.relu6 = true, .encoding = codes_of(4, Grid::mid_tread, 0.25f)}});
  // Padded with the code of 0.
  const int depthwise =
      m.conv("layer1.0.depthwise", conv1,
             {.out_channels = 8,
              .window = {.kernel = {3, 1}, .padding = {2, 0}, .dilation = {2, 1}, .groups = 8},
              .bits = 3,
              .grid = Grid::mid_tread,
              .pad_code = 8},
             {{}});
  const int shortcut =
      m.conv("layer1.0.downsample.0", conv0,
             {.out_channels = 8, .window = {.stride = {2, 1}}, .bits = 1, .residual = depthwise},
             {{}, {.affine = true, .encoding = codes_of(1, Grid::mid_rise, 1.0f)}});
  const int mix = m.conv(
      "layer1.0.mix", shortcut + 1,
      {.out_channels = 8, .bits = o.weight_bits, .grid = o.weight_grid, .residual = shortcut},
      {{}});
  const int fp32 = m.conv("picture.conv", picture + 1,
                          {.out_channels = 8, .window = halve3, .bits = 0}, {{.relu = true}});
  const int add = m.add("add", mix, fp32, {{.affine = true, .relu = true}});
  const int max =
      m.pool("max_pool", PackedOp::max_pool, add, {.kernel = 3, .stride = 2, .padding = 1}, {{}});
  const int avg = m.pool("avg_pool", PackedOp::avg_pool, max, {.kernel = 2, .stride = 1}, {{}});
  const int flat =
      m.flatten("flatten", avg, {{.encoding = codes_of(8, Grid::mid_tread, 0.015625f)}});
  const int hidden = m.conv("hidden", flat, {.out_channels = 5, .bits = 8},
                            {{.relu = true, .encoding = codes_of(3, Grid::unsigned_, 0.25f)}});
  // 25 weights of 3 bits leave bits of the last byte unused.
  return m.finish(m.conv("fc", hidden, {.out_channels = 5, .bits = 3}, {{}}));
}

PackedModel long_sums(std::int64_t channels, std::int64_t kernel) {
  const Encoding codes = codes_of(8, Grid::unsigned_, 1.0f);
  ModelMaker m(1);
  const int picture = m.input({1, kernel, kernel}, {{.encoding = codes}});
  const int many =
      m.conv("wide", picture, {.out_channels = channels, .bits = 8}, {{.encoding = codes}});
  return m.finish(
      m.conv("long", many, {.out_channels = 1, .window = {.kernel = kernel}, .bits = 8}, {{}}));
}

PackedModel many_outputs(int count) {
  std::vector<OutputSpec> outputs;
  for (int i = 0; i < count; ++i)
    outputs.push_back({.encoding = codes_of(2, Grid::unsigned_, 1.0f / static_cast<float>(i + 1))});
  ModelMaker m(1);
  const int picture = m.input({1, 1, 1}, outputs);
  int sum = m.conv("conv0", picture, {.out_channels = 2}, {{}});
  for (int i = 1; i < count; ++i)
    sum =
        m.conv("conv" + std::to_string(i), picture + i, {.out_channels = 2, .residual = sum}, {{}});
  return m.finish(sum);
}

PackedModel residual_chain(int blocks) {
  const Encoding codes = codes_of(2, Grid::unsigned_, 0.5f);
  const std::vector<OutputSpec> outputs = {{}, {.affine = true, .relu = true, .encoding = codes}};
  ModelMaker m(1);
  int value = m.input({1, 8, 8}, {{.encoding = codes_of(8, Grid::mid_rise, 0.0078125f)}});
  const Window same3{.kernel = 3, .padding = 1};
  value = m.conv("conv1", value, {.out_channels = 16, .window = same3, .bits = 8}, outputs);
  for (int i = 0; i < blocks; ++i) {
    const std::string name =
        "layer" + std::to_string(i / 10 + 1) + "." + std::to_string(i % 10) + ".conv1";
    value =
        m.conv(name, value + 1,
               {.out_channels = 16, .window = same3, .pad_code = 0, .residual = value}, outputs);
  }
  value = m.add("add", value, m.conv("last", value + 1, {.out_channels = 16}, {{}}), {{}});
  value = m.pool("pool", PackedOp::avg_pool, value, {.kernel = 8, .stride = 8},
                 {{.encoding = codes_of(8, Grid::unsigned_, 0.015625f)}});
  return m.finish(m.conv("fc", value, {.out_channels = 10, .bits = 8}, {{}}));
}

}  // namespace uniq::testing
