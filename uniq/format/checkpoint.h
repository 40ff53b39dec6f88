// What a checkpoint says of itself, kept in the safetensors metadata: enough to use it without the
// recipe. Needs no LibTorch.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "uniq/data/preprocessing.h"
#include "uniq/format/safetensors.h"
#include "uniq/graph/bit_plan.h"
#include "uniq/graph/graph.h"

namespace uniq::format {

/// Tensors whose names begin so (the optimizer's state, say) may stand in a checkpoint beside those
/// of the network.
inline constexpr std::string_view kTrainingPrefix = "training.";

/// How the name of a batch norm's counter of batches ends.
inline constexpr std::string_view kBatchCounter = ".num_batches_tracked";

/// Metadata keys: "format" = "uniqnn-checkpoint", "version" = "1", "graph" (text form), "bit_plan",
/// "preprocessing", "classes" (JSON), "training" (JSON object, free for uniq/train; may be absent).
struct CheckpointInfo {
  graph::Graph graph;
  graph::BitPlan bit_plan;
  data::Preprocessing preprocessing;
  std::vector<std::string> classes;
  std::string training;  ///< JSON; empty where absent
};

std::map<std::string, std::string> to_metadata(const CheckpointInfo& info);

/// Throws Error where `file` is no checkpoint of this project, or of a newer version, or its parts
/// do not fit each other (a layer without its tensors, tensors of another shape or type, unknown
/// tensors, pictures of another size than the graph's input, classes of another number than its
/// output), or a number in it cannot be right (a NaN or infinity, a step that is not positive or
/// whose largest value is not finite). Floats of 16 bits are accepted for those of 32 (they widen
/// exactly), and a batch norm without its counter, which then is 0: other programs write such
/// files.
CheckpointInfo read_checkpoint_info(const Safetensors& file);

/// Names and shapes of the tensors that a graph with this plan has: PyTorch's state dict names
/// (num_batches_tracked of batch norms included, [] of I64; all others are written as F32), and
/// where they are learned `<layer>.quan_w.delta` [1] or [out], `<layer>.quan_a.delta` [1],
/// `<layer>.quan_a.alpha` [1]: UniQ and LSQ learn both steps, PACT the clipping bound alpha, DoReFa
/// nothing; the step of the input picture is learned whatever the method.
std::map<std::string, std::vector<std::int64_t>> expected_tensors(const graph::Graph& graph,
                                                                  const graph::BitPlan& plan);

}  // namespace uniq::format
