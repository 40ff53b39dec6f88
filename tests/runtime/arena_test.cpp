#include "uniq/runtime/arena.h"

#include <gtest/gtest.h>

#include <random>

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

TEST(Arena, WhatIsNeededTogetherDoesNotOverlap) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    std::vector<Lifetime> lifetimes(random() % 40 + 1);
    std::size_t sum = 0;
    for (Lifetime& lifetime : lifetimes) {
      lifetime.bytes = random() % 3000;
      lifetime.first = static_cast<int>(random() % 30);
      lifetime.last = lifetime.first + static_cast<int>(random() % 8);
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
