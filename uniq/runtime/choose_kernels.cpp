#include "uniq/runtime/choose_kernels.h"

namespace uniq::runtime {

using format::PackedNode;
using format::PackedOp;
using format::PackedValue;

kernels::ConvShape conv_shape(const PackedNode& node, const graph::Shape& input) {
  const format::Window& w = node.window;
  return {.in_channels = input.channels,
          .in_height = input.height,
          .in_width = input.width,
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

kernels::CodeConv code_conv(const PackedNode& node, std::span<const PackedValue> values) {
  const PackedValue& input = values[static_cast<std::size_t>(node.inputs[0])];
  return {.shape = conv_shape(node, input.shape),
          .weight_bits = node.weights.bits,
          .weight_grid = node.weights.grid,
          .activation_bits = input.encoding.bits,
          .activation_grid = input.encoding.grid,
          .pad_code = node.weights.pad_code};
}

std::vector<std::unique_ptr<ConvChoice>> choose_kernels(const format::PackedModel& model,
                                                        std::span<const PackedValue> values,
                                                        kernels::Isa isa, const CpuInfo& cpu,
                                                        const Without& without,
                                                        const Tuned* tuned) {
  std::vector<std::unique_ptr<ConvChoice>> choices;
  std::vector<std::vector<ConvChoice*>> readers(values.size());
  for (const PackedNode& node : model.nodes) {
    const bool has_choice =
        node.op == PackedOp::conv && node.weights.bits != 0 &&
        !format::has_wide_sums(node, values[static_cast<std::size_t>(node.inputs[0])]);
    choices.push_back(has_choice ? std::make_unique<ConvChoice>(make_choice(
                                       code_conv(node, values), isa, cpu, without, tuned))
                                 : nullptr);
    if (has_choice)
      readers[static_cast<std::size_t>(node.inputs[0])].push_back(choices.back().get());
  }
  for (std::size_t value = 0; value < values.size(); ++value) {
    const graph::Shape& shape = values[value].shape;
    // Where nobody shares, another layout costs nothing more.
    choose_together(readers[value], without.layouts
                                        ? 0.0
                                        : layout_cycles(shape.channels * shape.height * shape.width,
                                                        kernels::rates_of(cpu)));
  }
  return choices;
}

}  // namespace uniq::runtime
