#include "uniq/runtime/joins.h"

#include <algorithm>
#include <cstddef>
#include <variant>
#include <vector>

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

bool can_be_pooled(const Step& conv, const Step& pool, std::span<const Step> later,
                   std::span<const Buffer> buffers, int output) {
  const auto* core = std::get_if<PoolCore>(&pool.core);
  if (!std::holds_alternative<CodeConvCore>(conv.core) || core == nullptr || !core->largest)
    return false;
  // A step behind the pool that reads the convolution too wants it whole.
  const int read = conv.outputs[0];
  const bool is_read_later = std::ranges::any_of(
      later, [&](const Step& step) { return std::ranges::count(step.inputs, read) != 0; });
  return conv.outputs.size() == 1 && pool.inputs[0] == read && !is_read_later &&
         !conv.adds_residual && std::ranges::none_of(conv.epilogue.outputs[0].stages, is_affine) &&
         buffers[static_cast<std::size_t>(read)].value != output;
}

/// Makes the two one: the pool takes sums, and its epilogue does what the convolution's did.
void pool_sums(Step& conv, Step& pool) {
  conv.is_pooled = true;
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

/// Whether step i can go on with the rows of the chain that begins at `first`.
bool can_continue(std::span<const Step> steps, std::size_t first, std::size_t i) {
  const Step& step = steps[i];
  if (!is_by_rows(step) || !is_by_rows(steps[first]) || step.rows != steps[first].rows)
    return false;
  // A residual is read pixel by pixel.
  const bool reads_the_chain = std::ranges::any_of(
      steps.subspan(first, i - first),
      [&](const Step& before) { return std::ranges::count(before.outputs, step.inputs[0]) != 0; });
  return !reads_the_chain || reads_pixels(step);
}

}  // namespace

void join_pools(std::span<Step> steps, std::span<const Buffer> buffers, int output) {
  for (std::size_t i = 0; i + 1 < steps.size(); ++i)
    if (can_be_pooled(steps[i], steps[i + 1], steps.subspan(i + 2), buffers, output))
      pool_sums(steps[i], steps[i + 1]);
}

void join_rows(std::span<Step> steps) {
  std::size_t first = 0;
  for (std::size_t i = 1; i < steps.size(); ++i) {
    steps[i].continues = can_continue(steps, first, i);
    if (!steps[i].continues) first = i;
  }
}

}  // namespace uniq::runtime
