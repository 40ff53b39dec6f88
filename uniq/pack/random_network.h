// A network as calibration would leave it, without data and without training: so that size and
// speed can be measured first.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "uniq/format/checkpoint.h"
#include "uniq/graph/bit_plan.h"
#include "uniq/graph/graph.h"
#include "uniq/pack/pack.h"

namespace uniq::pack {

/// A checkpoint in memory. The classes have no names.
struct RandomNetwork {
  format::CheckpointInfo info;
  std::map<std::string, std::vector<float>> tensors;
};

/// Weights and biases as networks are initialised (He et al., 2015: Gaussian, variance 2 / fan-in;
/// linear layers 1 / fan-in; biases 0), batch norms with the statistics that follow for normalised
/// pictures, and steps by the rules of docs/method.md: the optimal constant for a Gaussian, or half
/// of one behind a ReLU, times the deviation. So codes are spread over their grids. The same for
/// the same seed. Throws UsageError for another method than UniQ.
RandomNetwork random_network(const graph::Graph& graph, const graph::BitPlan& plan,
                             std::uint64_t seed);

/// The network must outlive the source.
TensorSource tensors_of(const RandomNetwork& network);

}  // namespace uniq::pack
