// What of a network is computed together: pools with what they pool, and steps that need only the
// same rows of those before them.
#include <algorithm>
#include <variant>

#include "uniq/runtime/network.h"
#include "uniq/runtime/parts.h"

namespace uniq::runtime {
namespace {

using kernels::EpilogueStage;

bool is_affine(const EpilogueStage& stage) { return stage.kind == EpilogueStage::Kind::affine; }

/// Each output of the convolution reads the pixel in its own place: what is in others may be
/// written meanwhile.
bool reads_pixels(const Step& step) {
  const kernels::PreparedConv& prepared = std::get<CodeConvCore>(step.core).prepared;
  const kernels::ConvShape& s = prepared.conv.shape;
  return s.taps() == 1 && s.stride_height == 1 && s.padding_height == 0 &&
         prepared.reads_windows_alone;
}

bool is_by_rows(const Step& step) {
  return std::holds_alternative<CodeConvCore>(step.core) && !step.is_pooled &&
         !goes_by_channels(step);
}

}  // namespace

void Network::join_pools() {
  for (std::size_t i = 0; i + 1 < steps_.size(); ++i) {
    Step& step = steps_[i];
    const Step& next = steps_[i + 1];
    const auto* pool = std::get_if<PoolCore>(&next.core);
    if (!std::holds_alternative<CodeConvCore>(step.core) || pool == nullptr || !pool->largest)
      continue;
    // One output and in fp32, for the pool to read; a step behind that reads it too wants it whole.
    const bool is_read_later = std::any_of(
        steps_.begin() + static_cast<std::ptrdiff_t>(i) + 2, steps_.end(),
        [&](const Step& later) { return std::ranges::count(later.inputs, step.outputs[0]) != 0; });
    step.is_pooled = step.outputs.size() == 1 && next.inputs[0] == step.outputs[0] &&
                     !is_read_later && !step.adds_residual &&
                     std::ranges::none_of(step.epilogue.outputs[0].stages, is_affine) &&
                     model_.output != buffers_[static_cast<std::size_t>(step.outputs[0])].value;
    if (step.is_pooled) pool_sums(step, steps_[i + 1]);
  }
}

void Network::pool_sums(Step& conv, Step& pool) {
  // A larger sum gives a larger value, or one that is less where the scale is negative.
  for (std::int64_t c = 0; c < conv.epilogue.channels; ++c)
    conv.turn.push_back(conv.epilogue.scale[c] < 0.0f ? -1 : 0);
  pool.epilogue.scale = conv.epilogue.scale;
  pool.epilogue.bias = conv.epilogue.bias;
  const std::vector<EpilogueStage>& first = conv.epilogue.outputs[0].stages;
  for (kernels::EpilogueOutput& output : pool.epilogue.outputs)
    output.stages.insert(output.stages.begin(), first.begin(), first.end());
  // Nothing is lacking any more.
  if (conv.sums) pool.sums = kernels::SumRange{.largest = conv.sums->largest};
  pool.program = kernels::EpilogueProgram(pool.epilogue, pool.sums);
}

bool Network::can_continue(const Step& step, std::size_t first) const {
  if (!is_by_rows(step) || !is_by_rows(steps_[first]) || step.rows != steps_[first].rows)
    return false;
  // A residual is read pixel by pixel.
  const auto node =
      values_[static_cast<std::size_t>(buffers_[static_cast<std::size_t>(step.inputs[0])].value)]
          .node;
  return static_cast<std::size_t>(node) < first || reads_pixels(step);
}

void Network::join_rows() {
  std::size_t first = 0;
  for (std::size_t i = 1; i < steps_.size(); ++i) {
    steps_[i].continues = can_continue(steps_[i], first);
    if (!steps_[i].continues) first = i;
  }
}

}  // namespace uniq::runtime
