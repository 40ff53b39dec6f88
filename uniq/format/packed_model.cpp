#include "uniq/format/packed_model.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "uniq/base/memory.h"
#include "uniq/graph/limits.h"

namespace uniq::format {
namespace {

/// Largest magnitude of a code's integer (code_integer).
constexpr std::int64_t largest_integer(Grid grid, int bits) {
  return grid == Grid::mid_tread ? 1 << (bits - 1) : max_code(bits);
}

// Sums are added in 64 bits and rounded to fp32 once; doubles, which hold what is below 2^53, can
// check them.
static_assert(graph::kMaxWeights * largest_integer(Grid::mid_rise, kMaxBits) *
                  largest_integer(Grid::mid_rise, kMaxBits) <
              std::int64_t{1} << 53);

/// Outputs of a node that version 1 may have.
constexpr std::size_t kMaxOutputsOfVersion1 = 64;

/// Eight codes fill `bits` bytes exactly, so that they move through one word at a time.
constexpr std::size_t kGroup = 8;
static_assert(std::endian::native == std::endian::little);

}  // namespace

std::string_view packed_op_name(PackedOp op) {
  switch (op) {
    case PackedOp::input:
      return "input";
    case PackedOp::conv:
      return "conv";
    case PackedOp::add:
      return "add";
    case PackedOp::max_pool:
      return "max_pool";
    case PackedOp::avg_pool:
      return "avg_pool";
    case PackedOp::flatten:
      break;
  }
  return "flatten";
}

std::shared_ptr<const void> take_storage(PackedModel& model) {
  const auto visit_all = [&model](auto&& visit) {
    for (PackedNode& node : model.nodes) visit_parameters(node, visit);
  };
  std::size_t count = 0;
  visit_all([&count](std::span<const float> numbers) { count += numbers.size(); });
  const auto own = std::make_shared<std::vector<float>>();
  with_memory("parameters of the model", count * sizeof(float), [&] { own->reserve(count); });
  visit_all([&own](std::span<const float>& numbers) {
    const std::size_t begin = own->size();
    own->insert(own->end(), numbers.begin(), numbers.end());
    numbers = std::span<const float>(*own).subspan(begin);
  });
  return std::exchange(model.storage, own);
}

std::vector<PackedValue> values_of(const PackedModel& model) {
  std::vector<PackedValue> values;
  for (std::size_t node = 0; node < model.nodes.size(); ++node) {
    const PackedNode& n = model.nodes[node];
    for (std::size_t output = 0; output < n.outputs.size(); ++output) {
      values.push_back(PackedValue{.node = static_cast<int>(node),
                                   .output = static_cast<int>(output),
                                   .shape = n.shape,
                                   .encoding = n.outputs[output].encoding});
    }
  }
  return values;
}

std::int64_t largest_sum(std::int64_t terms, const PackedWeights& weights, const Encoding& input) {
  if (weights.bits == 0) return 0;
  return terms * largest_integer(weights.grid, weights.bits) *
         largest_integer(input.grid, input.bits);
}

std::int64_t sum_terms(const PackedNode& node, const graph::Shape& input) {
  return node.window.kernel.height * node.window.kernel.width *
         (input.channels / node.window.groups);
}

bool has_wide_sums(const PackedNode& node, const PackedValue& input) {
  return node.op == PackedOp::conv &&
         largest_sum(sum_terms(node, input.shape), node.weights, input.encoding) > kMaxNarrowSum;
}

std::string beyond_version_1(const PackedModel& model) {
  const std::vector<PackedValue> values = values_of(model);
  for (const PackedNode& node : model.nodes) {
    const auto said = [&node](const std::string& what) {
      return "node " + node.name + ": " + what;
    };
    if (node.shape.channels > graph::kMaxChannels)
      return said(std::to_string(node.shape.channels) + " channels");
    if (node.outputs.size() > kMaxOutputsOfVersion1)
      return said(std::to_string(node.outputs.size()) + " outputs");
    if (node.op != PackedOp::conv) continue;
    const PackedValue& input = values[static_cast<std::size_t>(node.inputs[0])];
    if (has_wide_sums(node, input))
      return said("sums up to " + std::to_string(largest_sum(sum_terms(node, input.shape),
                                                             node.weights, input.encoding)));
  }
  return {};
}

void unpack_codes(std::span<const std::byte> dense, int bits, std::span<std::uint8_t> codes) {
  const auto mask = static_cast<std::uint64_t>(max_code(bits));
  while (!codes.empty()) {
    const std::size_t count = std::min(kGroup, codes.size());
    const std::size_t size = dense_bytes(count, bits);
    std::uint64_t word = 0;
    std::memcpy(&word, dense.data(), size);
    for (std::uint8_t& code : codes.first(count)) {
      code = static_cast<std::uint8_t>(word & mask);
      word >>= bits;
    }
    dense = dense.subspan(size);
    codes = codes.subspan(count);
  }
}

void pack_codes(std::span<const std::uint8_t> codes, int bits, std::span<std::byte> dense) {
  while (!codes.empty()) {
    const std::size_t count = std::min(kGroup, codes.size());
    const std::size_t size = dense_bytes(count, bits);
    std::uint64_t word = 0;
    for (std::size_t i = count; i-- > 0;) word = word << bits | codes[i];
    std::memcpy(dense.data(), &word, size);
    dense = dense.subspan(size);
    codes = codes.subspan(count);
  }
}

}  // namespace uniq::format
