// What a network with a bit plan is and costs, layer by layer: the text of `uniqnn summary`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "uniq/graph/bit_plan.h"
#include "uniq/graph/graph.h"

namespace uniq::graph {

/// Sizes in bytes: weights at their bits, each layer rounded up to a byte, plus fp32 weight steps
/// (one per layer or output channel), activation step and biases; fp32_bytes: 4 per parameter.
struct LayerSummary {
  std::string name;
  std::string op;
  Shape in;
  Shape out;
  LayerBits bits;
  std::int64_t parameters = 0;
  std::int64_t macs = 0;
  std::int64_t weight_bytes = 0;
  std::int64_t fp32_bytes = 0;
};

struct Summary {
  std::vector<LayerSummary> layers;  ///< convolutions and linear layers, in the graph's order
  std::int64_t batch_norms = 0;      ///< number of them; they stay fp32
  std::int64_t batch_norm_parameters = 0;
  std::int64_t parameters = 0;  ///< totals, batch norms included
  std::int64_t macs = 0;
  std::int64_t quantized_macs = 0;
  std::int64_t weight_bytes = 0;
  std::int64_t fp32_bytes = 0;
  double compression() const;      ///< fp32_bytes / weight_bytes; 1 where there are none
  double quantized_share() const;  ///< of the multiply-accumulates, 0..1
};

Summary summarize(const Graph& graph, const BitPlan& plan);

/// A table in plain text, each line ended by a newline.
std::string to_table(const Summary& summary);
std::string to_json(const Summary& summary);

}  // namespace uniq::graph
