#include "uniq/runtime/arena.h"

#include <gtest/gtest.h>

#include "tests/support/random_test.h"
#include "uniq/base/aligned.h"

namespace uniq::runtime {
namespace {

TEST(Arena, AChainNeedsTwoPlaces) {
  std::vector<Lifetime> chain;
  for (int i = 0; i < 10; ++i) chain.push_back({.bytes = 1000, .first = i, .last = i + 1});
  const Placement placement = place(chain);
  EXPECT_EQ(placement.bytes, 2 * 1024u);
}

TEST(Arena, OneThatIsNeededThroughoutHasItsOwnPlace) {
  const Placement placement = place({{64, 0, 1}, {128, 0, 9}, {64, 1, 2}, {64, 2, 3}});
  EXPECT_EQ(placement.bytes, 128u + 2 * 64u);
}

TEST(Arena, NothingNeedsNothing) { EXPECT_EQ(place({}).bytes, 0u); }

using RandomArena = testing::RandomTest;

TEST_F(RandomArena, WhatIsNeededTogetherDoesNotOverlap) {
  for (int i = 0; i < 200; ++i) {
    SCOPED_TRACE("case " + std::to_string(i));
    std::vector<Lifetime> lifetimes(random_() % 40 + 1);
    std::size_t sum = 0;
    for (Lifetime& lifetime : lifetimes) {
      lifetime.bytes = random_() % 3000;
      lifetime.first = static_cast<int>(random_() % 30);
      lifetime.last = lifetime.first + static_cast<int>(random_() % 8);
      sum += (lifetime.bytes + kAlignment - 1) / kAlignment * kAlignment;
    }
    const Placement placement = place(lifetimes);
    EXPECT_LE(placement.bytes, sum);
    for (std::size_t a = 0; a < lifetimes.size(); ++a) {
      EXPECT_EQ(placement.offsets[a] % kAlignment, 0u);
      EXPECT_LE(placement.offsets[a] + lifetimes[a].bytes, placement.bytes);
      for (std::size_t b = 0; b < a; ++b) {
        const bool together =
            lifetimes[a].first <= lifetimes[b].last && lifetimes[b].first <= lifetimes[a].last;
        const bool apart = placement.offsets[a] + lifetimes[a].bytes <= placement.offsets[b] ||
                           placement.offsets[b] + lifetimes[b].bytes <= placement.offsets[a];
        const bool empty = lifetimes[a].bytes == 0 || lifetimes[b].bytes == 0;
        EXPECT_TRUE(!together || apart || empty) << a << " and " << b;
      }
    }
  }
}

}  // namespace
}  // namespace uniq::runtime
