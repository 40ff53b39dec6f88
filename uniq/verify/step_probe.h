// A step of a session looked at from inside: its core row by row, and its outputs before they are
// encoded, computed by the kernels that the network chose.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "uniq/runtime/session.h"

namespace uniq::verify {

class StepProbe {
 public:
  /// The session must outlive it.
  StepProbe(runtime::Session& session, std::size_t step);

  /// Computes one row from what the inputs' buffers hold; step 0 reads `picture`.
  void run(std::int64_t row, const std::uint8_t* picture);

  /// Of the last row, [columns][channels]: of a convolution of codes the integer sums, else null.
  const std::int32_t* sums() const { return is_sums_ ? sums_.data() : nullptr; }
  /// An output, fp32 whatever its encoding.
  const float* output(std::size_t output) const { return outputs_[output].data(); }

 private:
  struct CoreOf;
  const std::byte* input(std::size_t input) const;

  runtime::Session& session_;
  const runtime::Step& step_;
  kernels::Epilogue epilogue_;  ///< the step's, nothing encoded
  bool is_sums_;
  std::vector<std::int32_t> sums_;
  std::vector<float> values_;
  std::vector<std::vector<float>> outputs_;
};

}  // namespace uniq::verify
