#include "uniq/runtime/pieces.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/random_test.h"

namespace uniq::runtime {
namespace {

TEST(Makespan, OfOneThreadIsAllThatThereIs) {
  EXPECT_EQ(makespan({.rows = 10, .blocks = 3}, 5, 1), 30.0);
  EXPECT_EQ(makespan({.rows = 10, .blocks = 3, .of_piece = 0.5}, 5, 1), 30.0 + 15 * 0.5);
}

TEST(Makespan, OfThreadsThatHelpEachOther) {
  EXPECT_EQ(makespan({.rows = 10}, 2, 2), 5.0);
  // 3, 3 and 4 rows: the first thread, whose share is one piece, takes the last.
  EXPECT_EQ(makespan({.rows = 10}, 3, 2), 7.0);
  EXPECT_EQ(makespan({.rows = 10, .of_piece = 1.0}, 3, 2), 9.0);
  // The second thread has as much to do as the first.
  EXPECT_EQ(makespan({.rows = 10}, 4, 2), 5.0);
  EXPECT_EQ(makespan({.rows = 10, .blocks = 2}, 1, 2), 10.0);
}

TEST(Makespan, OfMoreThreadsThanPiecesIsTheLargest) {
  EXPECT_EQ(makespan({.rows = 10}, 1, 4), 10.0);
  EXPECT_EQ(makespan({.rows = 10}, 3, 16), 4.0);
}

TEST(BestPieces, AreNoneMoreThanNeededForOneThread) {
  EXPECT_EQ(best_pieces({.rows = 100}, 1, 1), 1);
  EXPECT_EQ(best_pieces({.rows = 100, .blocks = 7}, 5, 1), 5);
}

TEST(BestPieces, AreSmallWherePiecesCostNothing) { EXPECT_EQ(best_pieces({.rows = 10}, 1, 2), 10); }

TEST(BestPieces, AreAsManyAsThreadsWherePiecesCostMuch) {
  for (const int threads : {2, 3, 4})
    EXPECT_EQ(best_pieces({.rows = 120, .of_piece = 20.0}, 1, threads), threads);
  // The blocks are as many pieces as there are threads.
  EXPECT_EQ(best_pieces({.rows = 120, .blocks = 4, .of_piece = 20.0}, 1, 4), 1);
}

using RandomPieces = testing::RandomTest;

TEST_F(RandomPieces, TakeNoLessThanAnEvenShareAndTheLargestPiece) {
  for (int i = 0; i < 500; ++i) {
    const Cut cut = {.rows = 1 + below(60), .blocks = 1 + below(5), .of_piece = 0.25 * below(9)};
    const std::int64_t pieces = 1 + below(static_cast<int>(cut.rows));
    const int threads = 1 + below(9);
    const double all = static_cast<double>(cut.blocks) *
                       (static_cast<double>(cut.rows) + cut.of_piece * static_cast<double>(pieces));
    const std::int64_t most_rows = (cut.rows + pieces - 1) / pieces;
    const double largest = static_cast<double>(most_rows) + cut.of_piece;
    const double time = makespan(cut, pieces, threads);
    EXPECT_GE(time, all / threads);
    EXPECT_GE(time, largest);
    // Nobody waits while there is a piece left: who is done last began with the others busy.
    EXPECT_LE(time, all / threads + largest);
  }
}

TEST_F(RandomPieces, AreBetterThanOthers) {
  for (int i = 0; i < 200; ++i) {
    const Cut cut = {.rows = 1 + below(60), .blocks = 1 + below(5), .of_piece = 0.25 * below(9)};
    const std::int64_t least = 1 + below(static_cast<int>(cut.rows));
    const int threads = 2 + below(7);
    const std::int64_t best = best_pieces(cut, least, threads);
    EXPECT_GE(best, least);
    EXPECT_LE(best, cut.rows);
    // A tenth of the largest piece is what unevenness counts at most.
    const std::int64_t most_rows = (cut.rows + least - 1) / least;
    const double uneven = 0.1 * static_cast<double>(most_rows);
    for (std::int64_t pieces = least; pieces <= std::min(cut.rows, 16L * threads); ++pieces)
      EXPECT_LE(makespan(cut, best, threads), makespan(cut, pieces, threads) + uneven);
  }
}

}  // namespace
}  // namespace uniq::runtime
