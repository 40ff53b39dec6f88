#include "tests/runtime/packed_networks.h"

#include <random>

#include "tests/graph/random_graph.h"
#include "tests/support/random_tensors.h"
#include "uniq/base/error.h"
#include "uniq/pack/pack.h"

namespace uniq::testing {

format::PackedModel packed_network(const graph::Graph& graph, const graph::BitRequest& request,
                                   unsigned seed) {
  const graph::BitPlan plan = graph::make_bit_plan(graph, request);
  return pack::pack(checkpoint_info(graph, plan), random_tensors(graph, plan, seed)).model;
}

format::PackedModel random_packed_network(unsigned seed) {
  std::mt19937 random(seed);
  for (;;) {
    const graph::Graph graph = graph::random_graph(random, 12);
    graph::BitRequest request;
    request.weight_bits = static_cast<int>(random() % 8) + 1;
    request.activation_bits = static_cast<int>(random() % 8) + 1;
    request.end_bits = random() % 3 == 0 ? 0 : static_cast<int>(random() % 8) + 1;
    request.granularity =
        random() % 2 == 0 ? graph::Granularity::kernel : graph::Granularity::layer;
    request.method = static_cast<graph::Method>(random() % 4);
    try {
      return packed_network(graph, request, seed);
    } catch (const Error&) {
      // PACT and DoReFa refuse signed activations, LSQ one bit, packing an output that is a map:
      // another network then.
    }
  }
}

}  // namespace uniq::testing
