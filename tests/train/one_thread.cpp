// Tensors of a few hundred elements gain nothing from threads, and tests run side by side.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

namespace uniq::train {
namespace {

struct OneThread : ::testing::Environment {
  void SetUp() override { at::set_num_threads(1); }
};

[[maybe_unused]] const auto* const kOneThread = ::testing::AddGlobalTestEnvironment(new OneThread);

}  // namespace
}  // namespace uniq::train
