// RandomTest (random_test.h) for tests that draw with LibTorch.
#pragma once

#include <torch/types.h>
#include <torch/utils.h>

#include "tests/support/random_test.h"

namespace uniq::testing {

/// LibTorch's generator begins each test with the test's seed.
class TorchRandomTest : public RandomTest {
 protected:
  TorchRandomTest() { torch::manual_seed(seed_); }
};

}  // namespace uniq::testing
