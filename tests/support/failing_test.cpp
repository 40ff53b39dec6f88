// Tests that fail on purpose, for random_test_test.cpp: each says which number it drew first.
#include <cstdlib>
#include <stdexcept>

#include "tests/support/random_test.h"

namespace uniq::testing {
namespace {

using Failing = RandomTest;

TEST_F(Failing, Expects) { ADD_FAILURE() << "drew " << random_(); }

TEST_F(Failing, Throws) { throw std::runtime_error("drew " + std::to_string(random_())); }

TEST_F(Failing, Crashes) { std::abort(); }

TEST_F(Failing, Passes) { EXPECT_GE(below(3), 0); }

}  // namespace
}  // namespace uniq::testing
