// What a proof checked, and where it failed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace uniq::verify {

/// The three proofs of docs/verify.md.
enum class Proof {
  parameters,  ///< (0) the file holds what the checkpoint's tensors give
  layers,      ///< (a) each layer, fed the training network's values
  free_run,    ///< (b) the whole network
};
/// "0", "a", "b".
std::string_view proof_name(Proof proof);

/// One number of a position: {"output channel", 3}.
struct Coordinate {
  std::string name;
  std::int64_t value = 0;
  bool operator==(const Coordinate&) const = default;
};

struct Failure {
  Proof proof = Proof::parameters;
  std::string layer;                 ///< name of the packed node, or of the layer it reads for
  std::string what;                  ///< "weight code", "sum", ...
  std::vector<Coordinate> position;  ///< outermost first; empty where it concerns the whole layer
  std::string packed;                ///< the packed network's value
  std::string trained;               ///< what the checkpoint gives
  std::string allowed;               ///< how far they may differ; empty: not at all
  std::string kernel;                ///< what computed it; empty where nothing ran
};

/// "proof (a), layer conv1: sum at picture 0, channel 3, row 1, column 2 is 17, expected 18
/// (avx2.direct on avx2)".
std::string to_string(const Failure& failure);

/// Comparisons of one kind of run.
struct Compared {
  std::int64_t values = 0;           ///< fp32 values, found within their bounds
  std::int64_t codes = 0;            ///< activation codes
  std::int64_t codes_differing = 0;  ///< of these
  std::int64_t codes_at_bound = 0;   ///< of those, inputs equal: within the bound of a threshold
  double largest_share = 0.0;        ///< of a value's bound that its difference takes
  bool operator==(const Compared&) const = default;
};

struct Report {
  // (0)
  std::int64_t layers = 0;      ///< convolutions and linear layers
  std::int64_t parameters = 0;  ///< weights, per-channel parameters, activation steps
  // What ran.
  std::vector<std::string> instruction_sets;  ///< of epilogues, pools and fp32 layers
  std::vector<std::string> kernels;           ///< of convolutions
  std::int64_t pictures = 0;
  std::int64_t random_pictures = 0;  ///< of these; with the seed set by whoever made them
  std::uint64_t seed = 0;
  // (a), over all kernels
  std::int64_t sums = 0;  ///< integer sums, compared exactly
  Compared layer_by_layer;
  // (b)
  std::string free_run_instruction_set;
  Compared free_run;
  std::int64_t pictures_differing = 0;  ///< with a differing code
  double largest_logit_share = 0.0;     ///< as largest_share, logits of the other pictures
  std::int64_t top1_differing = 0;      ///< pictures whose classes disagree beyond the bounds
  std::int64_t top1_tied = 0;  ///< of the others: more than one class is the largest within them

  std::optional<Failure> failure;  ///< the first
  bool proven() const { return !failure; }
};

std::string to_json(const Report& report);

}  // namespace uniq::verify
