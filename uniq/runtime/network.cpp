#include "uniq/runtime/network.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "uniq/base/error.h"
#include "uniq/format/packed_file.h"

namespace uniq::runtime {
namespace {

using format::PackedNode;
using format::PackedOp;
using format::PackedValue;
using kernels::EpilogueStage;

// What kernels may read beyond the end of a value (kernels/conv.h).
constexpr std::size_t kSlack = 64;

kernels::ConvShape conv_shape(const PackedNode& node, const graph::Shape& in) {
  const format::Window& w = node.window;
  return {.in_channels = in.channels,
          .in_height = in.height,
          .in_width = in.width,
          .out_channels = node.shape.channels,
          .out_height = node.shape.height,
          .out_width = node.shape.width,
          .kernel_height = w.kernel.height,
          .kernel_width = w.kernel.width,
          .stride_height = w.stride.height,
          .stride_width = w.stride.width,
          .padding_height = w.padding.height,
          .padding_width = w.padding.width,
          .dilation_height = w.dilation.height,
          .dilation_width = w.dilation.width,
          .groups = w.groups};
}

kernels::PoolShape pool_shape(const PackedNode& node, const graph::Shape& in) {
  const format::Window& w = node.window;
  return {.channels = in.channels,
          .in_height = in.height,
          .in_width = in.width,
          .out_height = node.shape.height,
          .out_width = node.shape.width,
          .kernel_height = w.kernel.height,
          .kernel_width = w.kernel.width,
          .stride_height = w.stride.height,
          .stride_width = w.stride.width,
          .padding_height = w.padding.height,
          .padding_width = w.padding.width};
}

EpilogueStage::Kind stage_kind(format::Stage::Kind kind) {
  switch (kind) {
    case format::Stage::Kind::relu:
      return EpilogueStage::Kind::relu;
    case format::Stage::Kind::relu6:
      return EpilogueStage::Kind::relu6;
    case format::Stage::Kind::affine:
      break;
  }
  return EpilogueStage::Kind::affine;
}

kernels::Epilogue make_epilogue(const PackedNode& node) {
  kernels::Epilogue epilogue{.channels = node.shape.channels, .outputs = {}};
  if (node.op == PackedOp::conv) {
    epilogue.scale = node.weights.scale.data();
    epilogue.bias = node.weights.bias.data();
  }
  for (const format::PackedOutput& output : node.outputs) {
    kernels::EpilogueOutput made{.stages = {}, .bits = output.encoding.bits};
    if (made.bits != 0) {
      made.step = output.encoding.step;
      made.offset = grid_offset(output.encoding.grid, made.bits);
    }
    for (const format::Stage& stage : output.stages)
      made.stages.push_back({stage_kind(stage.kind), stage.scale.data(), stage.bias.data()});
    epilogue.outputs.push_back(std::move(made));
  }
  return epilogue;
}

std::int64_t row_bytes(const PackedValue& value) {
  const std::int64_t pixel = value.encoding.is_codes()
                                 ? kernels::code_stride(value.shape.channels)
                                 : value.shape.channels * std::int64_t{sizeof(float)};
  return value.shape.width * pixel;
}

struct KernelName {
  std::string operator()(const InputCore&) const { return "input"; }
  std::string operator()(const CodeConvCore& core) const { return core.kernel->name; }
  std::string operator()(const FloatConvCore& core) const {
    return std::string(kernels::isa_name(core.kernel->isa)) + ".float";
  }
  std::string operator()(const AddCore&) const { return "add"; }
  std::string operator()(const PoolCore& core) const {
    return core.largest ? "largest" : "average";
  }
  std::string operator()(const FlattenCore&) const { return "flatten"; }
};

}  // namespace

std::string Step::kernel() const { return std::visit(KernelName{}, core); }

Network::Network(format::PackedModel model, const NetworkOptions& options)
    : model_(std::move(model)),
      isa_(options.isa ? *options.isa : kernels::chosen_isa()),
      values_(format::values_of(model_)) {
  if (!kernels::has_isa(isa_))
    throw UsageError(
        {.what = "this CPU lacks an instruction set", .got = std::string(kernels::isa_name(isa_))});
  for (const PackedNode& node : model_.nodes) add_step(node);
  plan_memory(options.keep_values);
}

void Network::add_step(const PackedNode& node) {
  Step step{.name = node.name,
            .core = make_core(node),
            .epilogue = make_epilogue(node),
            .inputs = node.inputs,
            .outputs = {},
            .adds_residual = node.op == PackedOp::conv && node.inputs.size() == 2,
            .rows = node.shape.height,
            .columns = node.shape.width};
  const auto first = steps_.empty() ? 0 : steps_.back().outputs.back() + 1;
  for (std::size_t i = 0; i < node.outputs.size(); ++i)
    step.outputs.push_back(first + static_cast<int>(i));
  steps_.push_back(std::move(step));
}

Core Network::make_core(const PackedNode& node) const {
  if (node.op == PackedOp::input) return InputCore{data::pixel_values(model_.preprocessing)};
  if (node.op == PackedOp::add) return AddCore{};
  if (node.op == PackedOp::conv) return make_conv(node);
  const graph::Shape& in = values_[static_cast<std::size_t>(node.inputs[0])].shape;
  if (node.op == PackedOp::flatten) return FlattenCore{in.channels, in.height * in.width};
  return PoolCore{pool_shape(node, in), node.op == PackedOp::max_pool};
}

Core Network::make_conv(const PackedNode& node) const {
  const PackedValue& input = values_[static_cast<std::size_t>(node.inputs[0])];
  const kernels::ConvShape shape = conv_shape(node, input.shape);
  const auto weights =
      static_cast<std::size_t>(shape.out_channels * shape.taps() * shape.group_in());
  if (node.weights.bits == 0) {
    std::vector<float> values(weights);
    std::memcpy(values.data(), node.weights.bytes.data(), weights * sizeof(float));
    const kernels::FloatConvKernel& kernel = kernels::float_conv_kernel(isa_);
    return FloatConvCore{&kernel, shape, kernel.prepare(shape, values)};
  }
  const kernels::CodeConv conv{.shape = shape,
                               .weight_bits = node.weights.bits,
                               .weight_grid = node.weights.grid,
                               .activation_bits = input.encoding.bits,
                               .activation_grid = input.encoding.grid,
                               .pad_code = node.weights.pad_code};
  std::vector<std::uint8_t> codes(weights);
  format::unpack_codes(node.weights.bytes, node.weights.bits, codes);
  const kernels::ConvKernel& kernel = kernels::choose_conv(conv, isa_);
  return CodeConvCore{&kernel, kernel.prepare(conv, codes)};
}

void Network::plan_memory(bool keep_values) {
  std::vector<Lifetime> lifetimes;
  const int end = static_cast<int>(steps_.size());
  for (const PackedValue& value : values_) {
    Buffer buffer{.offset = 0, .row_bytes = row_bytes(value), .value = value};
    lifetimes.push_back({.bytes = buffer.bytes() + kSlack,
                         .first = keep_values ? 0 : value.node,
                         .last = keep_values ? end : value.node});
    buffers_.push_back(buffer);
  }
  for (int i = 0; i < end; ++i)
    for (const int input : steps_[static_cast<std::size_t>(i)].inputs)
      lifetimes[static_cast<std::size_t>(input)].last =
          std::max(lifetimes[static_cast<std::size_t>(input)].last, i);
  lifetimes[static_cast<std::size_t>(model_.output)].last = end;
  const Placement placement = place(lifetimes);
  for (std::size_t i = 0; i < buffers_.size(); ++i) buffers_[i].offset = placement.offsets[i];
  arena_bytes_ = placement.bytes;
  for (const Step& step : steps_)
    scratch_bytes_ = std::max(scratch_bytes_,
                              static_cast<std::size_t>(step.columns * step.epilogue.channels) * 4);
}

std::int64_t Network::picture_bytes() const {
  const data::Preprocessing& p = model_.preprocessing;
  return p.channels * p.height * p.width;
}

std::int64_t Network::classes() const {
  return values_[static_cast<std::size_t>(model_.output)].shape.channels;
}

std::shared_ptr<const Network> load_network(const std::filesystem::path& path,
                                            const NetworkOptions& options) {
  return std::make_shared<const Network>(format::read_packed(path), options);
}

}  // namespace uniq::runtime
