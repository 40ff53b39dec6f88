// Proof (b): the whole network from the pictures' bytes on. Codes at a threshold may differ, and
// with them whatever reads them; every difference that has none behind it must be within its bound.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "uniq/runtime/session.h"
#include "uniq/verify/check.h"
#include "uniq/verify/node_truth.h"
#include "uniq/verify/report.h"

namespace uniq::verify {

class FreeRun {
 public:
  /// The network keeps its values.
  FreeRun(std::shared_ptr<const runtime::Network> network, const Wiring& wiring, int threads);

  /// Runs the pictures of a batch.
  void start(const Pictures& pictures);

  /// Checks one node; all before it must have been. Counts in `report`, and sets its failure.
  void check(std::size_t node, const NodeTruth& truth, std::span<const ValueTruth> values,
             Report& report);

  /// After the last node: pictures with a differing code, logits, classes.
  void finish(std::span<const ValueTruth> values, Report& report) const;

 private:
  std::optional<Failure> check_output(std::size_t node, int value, const OutputTruth& expected,
                                      bool* differs, Compared& compared) const;
  void keep_value(std::size_t value);
  void keep_difference(int value, const at::Tensor& differs);

  /// A value of all pictures, dense.
  struct Computed {
    std::vector<float> floats;
    std::vector<std::uint8_t> codes;
  };

  const Wiring& wiring_;
  runtime::Session session_;
  Pictures pictures_;
  std::vector<Computed> computed_;     ///< by value
  std::vector<Deviation> deviations_;  ///< by value
  std::vector<bool> has_difference_;   ///< by picture
  at::Tensor logit_bounds_;            ///< by_pixel
};

}  // namespace uniq::verify
