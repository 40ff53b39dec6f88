#include "uniq/cli/random_request.h"

#include <cstdint>
#include <string>

#include "uniq/base/error.h"
#include "uniq/cli/options/widths.h"
#include "uniq/graph/topology.h"
#include "uniq/models/models.h"

namespace uniq::cli {
namespace {

constexpr std::uint64_t kSeed = 1;
constexpr int kEndBits = 8;
constexpr const char* kFp32 = "fp32";

/// Bits of the shortcuts' convolutions, one by one: the rule for one bit would leave them in fp32.
std::vector<graph::BitOverride> shortcut_bits(const graph::Graph& graph, const PackOptions& options,
                                              Widths widths) {
  if (options.shortcut == kFp32) widths = {};
  std::vector<graph::BitOverride> overrides;
  for (graph::NodeId id = 0; id < graph.size(); ++id) {
    if (!graph::is_downsampling(graph, id)) continue;
    overrides.push_back({graph.node(id).name, widths.weight_bits, widths.activation_bits});
  }
  if (overrides.empty() && options.shortcut == kFp32)
    throw UsageError(ErrorText{"the network has no convolution on a shortcut", options.random,
                               "--shortcut fp32", "--shortcut body", "leaving it out"});
  return overrides;
}

}  // namespace

pack::RandomNetwork random_network(const PackOptions& options) {
  // The options' checks have seen to it that there is something.
  const Widths widths = parse_widths(options.bits).value_or(Widths{});
  const bool quantized = widths.weight_bits != 0;
  if (!quantized && !options.ends.empty() && options.ends != kFp32)
    throw UsageError(ErrorText{"a network in fp32 has no quantized ends", "--bits fp32",
                               "--ends " + options.ends, "--ends fp32", "leaving it out"});
  const graph::Graph graph =
      models::build_model(options.random, models::usual_input(options.random));
  const graph::BitPlan plan =
      graph::make_bit_plan(graph, {.weight_bits = widths.weight_bits,
                                   .activation_bits = widths.activation_bits,
                                   .end_bits = options.ends == kFp32 ? 0 : kEndBits,
                                   .overrides = shortcut_bits(graph, options, widths)});
  return pack::random_network(graph, plan, kSeed);
}

}  // namespace uniq::cli
