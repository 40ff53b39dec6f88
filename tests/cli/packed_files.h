// Packed models as a user has them: files that the program itself packed.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/cli/test_checkpoint.h"
#include "tests/cli/uniqnn.h"
#include "tests/support/random_tensors.h"
#include "uniq/runtime/session.h"

namespace uniq::testing {

inline constexpr std::uint64_t kTensorSeed = 7;

/// What stands in the checkpoints below.
inline pack::TensorSource tensors_of(const format::CheckpointInfo& info) {
  return random_tensors(info.graph, info.bit_plan, kTensorSeed);
}

/// A checkpoint with random tensors, and what `uniqnn pack` makes of it.
class PackedFiles : public ::testing::Test {
 protected:
  /// Writes checkpoint() and model().
  void pack(const format::CheckpointInfo& info) {
    write_checkpoint(checkpoint(), info, tensors_of(info));
    const ProgramResult result = uniqnn({"pack", checkpoint(), "-o", model()});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    ASSERT_EQ(result.err, "");
  }
  std::string checkpoint() const { return folder_ / "best.safetensors"; }
  std::string model() const { return folder_ / "model.uniq"; }

  /// The logits that the library computes, picture by picture.
  std::vector<float> logits(const std::vector<std::uint8_t>& pictures) const {
    const auto network = runtime::load_network(model());
    runtime::Session session(network, {.threads = 1});
    std::vector<float> values(pictures.size() / static_cast<std::size_t>(network->picture_bytes()) *
                              static_cast<std::size_t>(network->classes()));
    session.run(pictures, values);
    return values;
  }

  TemporaryFolder folder_;
};

}  // namespace uniq::testing
