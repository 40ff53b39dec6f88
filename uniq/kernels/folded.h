// From a convolution's sums to codes of few bits by one multiply-add.
//
// What an epilogue makes of a channel's sum, scale, bias, batch norm, quotient and offset, is a
// straight line but for its roundings, and then rounded to a code. A sum is an integer, so between
// the sums of two codes the line may be moved: by one multiply-add it gives the same codes, as long
// as there is room for its own rounding. Whether there is, is tried at both sums next to each
// code's threshold. As long as all steps stay finite, neither way ever falls as the sum rises, or
// rises as it falls, so the codes of all other sums are the same too.
#pragma once

#include <optional>

#include "uniq/kernels/epilogue.h"

namespace uniq::kernels {

/// More codes leave too little room.
inline constexpr int kFoldedBits = 4;

/// The code of a sum is min(scale * (sum - term) + bias, largest), rounded, 0 below 0, for all sums
/// of the range. Nothing where some channel has not the room, and for other epilogues than those of
/// one output, codes of at most kFoldedBits bits, from sums.
std::optional<Folded> fold(const Epilogue& epilogue, const SumRange& range);

}  // namespace uniq::kernels
