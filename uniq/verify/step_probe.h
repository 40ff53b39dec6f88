// A step of a session looked at from inside: its core, and its outputs before they are encoded,
// computed by the kernels that the network chose.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "uniq/runtime/session.h"

namespace uniq::verify {

class StepProbe {
 public:
  /// Computes what the inputs' buffers hold now; step 0 reads `picture`. The session must outlive
  /// it.
  StepProbe(const runtime::Session& session, std::size_t step, const std::uint8_t* picture);

  /// Of a row, [columns][channels]: of a convolution of codes the integer sums, else null.
  const std::int64_t* sums(std::int64_t row) const;
  /// An output of a row, fp32 whatever its encoding; of several buffers of one value, the first.
  const float* output(std::size_t output, std::int64_t row) const;

 private:
  struct CoreOf;
  const std::byte* input(std::size_t input) const;
  void run_epilogue();

  const runtime::Session& session_;
  const runtime::Step& step_;
  std::int64_t width_;                ///< of a row: columns * channels
  std::vector<std::int64_t> sums_;    ///< of a convolution of codes
  std::vector<std::int32_t> narrow_;  ///< the same where they are added in 32 bits
  std::vector<float> values_;         ///< of anything else, and of sums in 64 bits
  std::vector<std::vector<float>> outputs_;
};

}  // namespace uniq::verify
