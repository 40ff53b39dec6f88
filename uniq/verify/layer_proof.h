// Proof (a): every packed node, fed the training network's values, by every kernel that this CPU
// can run.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "uniq/kernels/conv.h"
#include "uniq/runtime/session.h"
#include "uniq/verify/check.h"
#include "uniq/verify/node_truth.h"
#include "uniq/verify/report.h"

namespace uniq::verify {

using Networks = std::vector<std::shared_ptr<const runtime::Network>>;

class LayerProof {
 public:
  /// The networks are of one model, with keep_values. Convolution kernels that none of them chose
  /// are run beside them.
  LayerProof(const Networks& networks, const Wiring& wiring, int threads);

  /// Names of all convolution kernels that run.
  std::vector<std::string> kernels() const;

  /// Checks one node; counts in `report`, and sets its failure.
  void check(std::size_t node, const NodeTruth& truth, std::span<const ValueTruth> values,
             const Pictures& pictures, Report& report);

 private:
  /// A kernel that no network chose, with its own weights.
  struct OtherKernel {
    const kernels::ConvKernel* kernel;
    kernels::PreparedConv prepared;
  };
  void add_other_kernels(std::size_t node);
  std::optional<Failure> check_picture(runtime::Session& session, std::size_t node,
                                       std::int64_t picture, Report& report) const;
  std::optional<Failure> check_probe(runtime::Session& session, std::size_t node,
                                     std::int64_t picture, const Scene& scene,
                                     Report& report) const;
  std::optional<Failure> check_outputs(runtime::Session& session, std::size_t node,
                                       std::int64_t picture, const Scene& scene,
                                       Report& report) const;
  std::optional<Failure> check_other_kernels(runtime::Session& session, std::size_t node,
                                             std::int64_t picture, Report& report) const;
  Row row_of(std::size_t node, std::int64_t picture, std::int64_t row) const;

  const Wiring& wiring_;
  std::vector<std::unique_ptr<runtime::Session>> sessions_;
  std::vector<std::vector<OtherKernel>> others_;  ///< by node

  // Of the node that is checked.
  const NodeTruth* truth_ = nullptr;
  std::span<const ValueTruth> values_;
  std::vector<OutputTruth> outputs_;
  Pictures pictures_;
};

}  // namespace uniq::verify
