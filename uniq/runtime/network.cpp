#include "uniq/runtime/network.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "uniq/base/error.h"
#include "uniq/base/memory.h"
#include "uniq/format/packed_file.h"
#include "uniq/kernels/finish.h"
#include "uniq/runtime/choose_kernels.h"
#include "uniq/runtime/joins.h"

namespace uniq::runtime {
namespace {

using format::PackedNode;
using format::PackedOp;
using format::PackedValue;
using kernels::EpilogueStage;

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

kernels::SumRange sum_range(const PackedNode& node, const format::Encoding& input,
                            const kernels::PreparedConv& prepared) {
  const kernels::ConvShape& shape = prepared.conv.shape;
  const std::vector<std::int32_t>& terms = prepared.corrections.terms;
  const std::int64_t of_window = shape.taps() * shape.group_in();
  kernels::SumRange range = {.largest = format::largest_sum(of_window, node.weights, input),
                             .windows = std::abs(std::int64_t{kernels::per_code(prepared)}) *
                                        max_code(input.bits) * of_window};
  if (!prepared.lacks_corrections || terms.empty()) return range;
  if (!prepared.corrections.vary()) {
    range.terms = terms.data();
    return range;
  }
  range.varies = true;
  for (const std::int32_t term : terms)
    range.other_terms = std::max(range.other_terms, std::abs(std::int64_t{term}));
  return range;
}

/// What each output makes of each byte of each channel, by the epilogue itself.
void make_tables(const Step& step, const kernels::Loops& loops, kernels::InputWords words,
                 InputCore& core) {
  constexpr std::int64_t kBytes = 256;
  const std::int64_t channels = step.epilogue.channels;
  std::vector<float> values(core.values.size());  // [byte][channel], as pixels are
  for (std::int64_t i = 0; i < kBytes * channels; ++i)
    values[static_cast<std::size_t>(i)] =
        core.values[static_cast<std::size_t>(i % channels * kBytes + i / channels)];
  for (const kernels::EpilogueOutput& output : step.epilogue.outputs) {
    kernels::EpilogueOutput dense = output;
    dense.layout = {.bits = output.bits, .channels = channels, .height = 1, .width = kBytes};
    std::vector<float> floats(values.size());
    std::vector<std::uint8_t> map(static_cast<std::size_t>(dense.layout.bytes()));
    std::vector<std::uint8_t> codes(values.size());
    void* const to = output.bits == 0 ? static_cast<void*>(floats.data()) : map.data();
    kernels::EpilogueProgram({.channels = channels, .outputs = {dense}})
        .run(loops, {.pixels = kBytes,
                     .channels = channels,
                     .values = values.data(),
                     .pixel = channels,
                     .outputs = &to});
    kernels::read_codes(dense.layout, map.data(), codes);
    InputCore::Table table;
    for (std::int64_t i = 0; i < kBytes * channels; ++i) {
      const auto from = static_cast<std::size_t>(i % kBytes * channels + i / kBytes);
      if (output.bits == 0) table.floats.push_back(floats[from]);
      if (output.bits != 0) table.codes.push_back(codes[from]);
    }
    if (output.bits != 0 && output.layout.form == kernels::CodeLayout::Form::bytes &&
        output.layout.pixel_bytes() == sizeof(std::uint32_t))
      table.words = words;
    core.outputs.push_back(std::move(table));
  }
}

/// A convolution's codes, one byte each: those of 8 bits as they are, others in `room`, which is
/// made large enough.
std::span<const std::uint8_t> codes_of(const format::PackedWeights& weights, std::size_t count,
                                       std::vector<std::uint8_t>& room) {
  if (weights.bits == 8)
    return {reinterpret_cast<const std::uint8_t*>(weights.bytes.data()), count};
  if (room.size() < count) room.resize(count);
  const std::span<std::uint8_t> codes = std::span(room).first(count);
  format::unpack_codes(weights.bytes, weights.bits, codes);
  return codes;
}

struct KernelName {
  std::string operator()(const InputCore&) const { return "input"; }
  std::string operator()(const CodeConvCore& core) const { return core.kernel->name; }
  std::string operator()(const Sums64Core& core) const {
    return std::string(kernels::isa_name(core.isa)) + ".sums64";
  }
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
      isa_(options.isa ? *options.isa : kernels::chosen_isa(options.cpu)),
      values_(format::values_of(model_)) {
  if (!kernels::has_isa(isa_, options.cpu) || !has_all(cpu_info().features, options.cpu.features))
    throw UsageError(
        {.what = "this CPU lacks an instruction set", .got = std::string(kernels::isa_name(isa_))});
  // The weights stay until every step has prepared its own.
  std::shared_ptr<const void> storage;
  if (!options.keep_weights) storage = format::take_storage(model_);
  choices_ =
      choose_kernels(model_, values_, isa_, options.cpu, options.without, options.tuned.get());
  plan_buffers(!options.without.layouts);
  std::vector<std::uint8_t> room;
  for (std::size_t node = 0; node < model_.nodes.size(); ++node) {
    // Weights are unpacked to a byte each first.
    const PackedNode& own = model_.nodes[node];
    const std::uint64_t bytes = own.weights.bits == 0
                                    ? own.weights.bytes.size()
                                    : std::uint64_t{own.weights.bytes.size()} * 8 /
                                          static_cast<std::uint64_t>(own.weights.bits);
    with_memory("layer " + own.name, bytes, [&] { add_step(node, options, room); });
  }
  if (!options.keep_weights)
    for (PackedNode& node : model_.nodes) node.weights.bytes = {};
  if (!options.keep_values && !options.without.fusing) join_pools(steps_, buffers_, model_.output);
  if (!options.without.chains) join_rows(steps_);
  plan_memory(options.keep_values);
}

const PackedValue& Network::input_value(const PackedNode& node) const {
  return values_[static_cast<std::size_t>(node.inputs[0])];
}

std::optional<kernels::CodeLayout> Network::wanted_layout(std::size_t node) const {
  if (choices_[node] != nullptr) return choices_[node]->layout();
  const PackedNode& reader = model_.nodes[node];
  if (reader.op != PackedOp::conv || reader.weights.bits == 0) return std::nullopt;
  return kernels::sums64_layout(code_conv(reader, values_));
}

void Network::plan_buffers(bool shares_layouts) {
  // What each value's readers want; a reader of fp32 wants nothing special.
  std::vector<std::vector<kernels::CodeLayout>> layouts(values_.size());
  for (std::size_t node = 0; node < model_.nodes.size(); ++node) {
    input_layouts_.push_back(0);
    const std::optional<kernels::CodeLayout> wanted = wanted_layout(node);
    if (!wanted) continue;
    auto& of_value = layouts[static_cast<std::size_t>(model_.nodes[node].inputs[0])];
    const auto same = std::ranges::find_if(of_value, [&](const kernels::CodeLayout& l) {
      return shares_layouts && kernels::can_share(l, *wanted);
    });
    input_layouts_.back() = static_cast<int>(same - of_value.begin());
    if (same == of_value.end()) {
      of_value.push_back(*wanted);
    } else {
      *same = kernels::shared(*same, *wanted);
    }
  }
  for (std::size_t value = 0; value < values_.size(); ++value) {
    first_buffer_.push_back(static_cast<int>(buffers_.size()));
    const graph::Shape& shape = values_[value].shape;
    Buffer buffer;
    buffer.value = static_cast<int>(value);
    buffer.is_codes = values_[value].encoding.is_codes();
    if (!buffer.is_codes) {
      buffer.row_bytes = shape.width * shape.channels * std::int64_t{sizeof(float)};
      buffer.bytes = static_cast<std::size_t>(buffer.row_bytes * shape.height);
      buffers_.push_back(buffer);
    }
    for (const kernels::CodeLayout& layout : layouts[value]) {
      buffer.layout = layout;
      buffer.row_bytes = layout.row_bytes();
      buffer.bytes = static_cast<std::size_t>(layout.bytes());
      buffers_.push_back(buffer);
    }
  }
}

int Network::input_buffer(std::size_t node, std::size_t input) const {
  return buffer_of(model_.nodes[node].inputs[input]) + (input == 0 ? input_layouts_[node] : 0);
}

void Network::add_step(std::size_t index, const NetworkOptions& options,
                       std::vector<std::uint8_t>& room) {
  const PackedNode& node = model_.nodes[index];
  Step step{.name = node.name,
            .core = make_core(index, room),
            .epilogue = {},
            .program = {},
            .inputs = {},
            .outputs = {},
            .adds_residual = node.op == PackedOp::conv && node.inputs.size() == 2,
            .turn = {},
            .rows = node.shape.height,
            .columns = node.shape.width};
  for (std::size_t i = 0; i < node.inputs.size(); ++i)
    step.inputs.push_back(input_buffer(index, i));
  // Buffers stand in the order of the nodes that write them.
  const auto of_node = [&](std::size_t buffer) {
    return values_[static_cast<std::size_t>(buffers_[buffer].value)].node ==
           static_cast<int>(index);
  };
  auto next =
      steps_.empty() ? std::size_t{0} : static_cast<std::size_t>(steps_.back().outputs.back()) + 1;
  for (; next < buffers_.size() && of_node(next); ++next)
    step.outputs.push_back(static_cast<int>(next));
  step.epilogue = make_epilogue(index, step.outputs, options.without);
  auto* const conv = std::get_if<CodeConvCore>(&step.core);
  auto* const wide = std::get_if<Sums64Core>(&step.core);
  if (conv != nullptr && options.fault) options.fault(node.name, conv->prepared.weights);
  if (wide != nullptr && options.fault) options.fault(node.name, wide->prepared.weights);
  if (conv != nullptr && !step.adds_residual && !options.without.folding)
    step.sums = sum_range(node, input_value(node).encoding, conv->prepared);
  step.program = kernels::EpilogueProgram(step.epilogue, step.sums);
  if (auto* core = std::get_if<InputCore>(&step.core))
    make_tables(step, loops(), kernels::input_words_of(isa_, options.cpu), *core);
  steps_.push_back(std::move(step));
}

kernels::Epilogue Network::make_epilogue(std::size_t index, const std::vector<int>& outputs,
                                         const Without& without) const {
  const PackedNode& node = model_.nodes[index];
  kernels::Epilogue epilogue{.channels = node.shape.channels, .outputs = {}};
  if (node.op == PackedOp::conv) {
    epilogue.scale = node.weights.scale.data();
    epilogue.bias = node.weights.bias.data();
  }
  for (const int id : outputs) {
    const Buffer& buffer = buffers_[static_cast<std::size_t>(id)];
    const PackedValue& value = values_[static_cast<std::size_t>(buffer.value)];
    const format::PackedOutput& output = node.outputs[static_cast<std::size_t>(value.output)];
    kernels::EpilogueOutput made{.bits = output.encoding.bits,
                                 .layout = buffer.layout,
                                 .compares = !without.thresholds,
                                 .multiplies = !without.reciprocal};
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

Core Network::make_core(std::size_t index, std::vector<std::uint8_t>& room) const {
  const PackedNode& node = model_.nodes[index];
  if (node.op == PackedOp::input) return InputCore{data::pixel_values(model_.preprocessing), {}};
  if (node.op == PackedOp::add) return AddCore{};
  if (node.op == PackedOp::conv) return make_conv(index, room);
  const graph::Shape& in = input_value(node).shape;
  if (node.op == PackedOp::flatten) return FlattenCore{in.channels, in.height * in.width};
  return PoolCore{pool_shape(node, in), node.op == PackedOp::max_pool};
}

Core Network::make_conv(std::size_t index, std::vector<std::uint8_t>& room) const {
  const PackedNode& node = model_.nodes[index];
  const kernels::ConvShape shape = conv_shape(node, input_value(node).shape);
  const auto weights =
      static_cast<std::size_t>(shape.out_channels * shape.taps() * shape.group_in());
  if (node.weights.bits == 0) {
    std::vector<float> values(weights);
    std::memcpy(values.data(), node.weights.bytes.data(), weights * sizeof(float));
    const kernels::FloatConvKernel& kernel = kernels::float_conv_kernel(isa_);
    return FloatConvCore{&kernel, shape, kernel.prepare(shape, values)};
  }
  const kernels::CodeConv conv = code_conv(node, values_);
  const Buffer& input = buffers_[static_cast<std::size_t>(input_buffer(index, 0))];
  const std::span<const std::uint8_t> codes = codes_of(node.weights, weights, room);
  if (choices_[index] == nullptr)
    return Sums64Core{isa_, kernels::prepare_sums64(conv, input.layout, codes)};
  const kernels::ConvKernel& kernel = choices_[index]->kernel();
  return CodeConvCore{&kernel, kernel.prepare(conv, input.layout, codes)};
}

void Network::plan_memory(bool keep_values) {
  std::vector<Lifetime> lifetimes;
  const int end = static_cast<int>(steps_.size());
  for (const Buffer& buffer : buffers_) {
    const int node = values_[static_cast<std::size_t>(buffer.value)].node;
    const bool is_kept = !steps_[static_cast<std::size_t>(node)].is_pooled;
    lifetimes.push_back({.bytes = is_kept ? buffer.bytes + kernels::kReadBeyond : 0,
                         .first = keep_values ? 0 : node,
                         .last = keep_values ? end : node});
  }
  for (int i = 0; i < end; ++i) {
    const Step& step = steps_[static_cast<std::size_t>(i)];
    // What a pooled convolution reads is read while its pool writes; and what a step reads that
    // others continue, while they write.
    int behind = step.is_pooled ? i + 2 : i + 1;
    while (behind < end && steps_[static_cast<std::size_t>(behind)].continues) ++behind;
    for (const int input : step.inputs)
      lifetimes[static_cast<std::size_t>(input)].last =
          std::max(lifetimes[static_cast<std::size_t>(input)].last, behind - 1);
  }
  lifetimes[static_cast<std::size_t>(buffer_of(model_.output))].last = end;
  const Placement placement = place(lifetimes);
  for (std::size_t i = 0; i < buffers_.size(); ++i) buffers_[i].offset = placement.offsets[i];
  arena_bytes_ = placement.bytes;
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
