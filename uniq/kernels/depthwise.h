// Inner loops of the depthwise convolutions, where each output channel reads the input channel of
// its number alone: channels lie in the lanes of vectors, and a multiply-add sums what the other
// convolutions take from several channels over several rows of the window. Nothing here but numbers
// (runs.h says why).
//
// A slot has 32 bits: the codes of one channel in one column of some rows, one below the other.
// First slots are made of rows of the picture, then each output is a sum over groups of rows and
// columns of slots times weights. Slots of a block of `vectors` vectors of channels:
//   [group of rows][column][vector][lane][row in the group]
// Weights of a vector, filled up with zeros: [group of rows][kernel column][lane][row in the
// group]. In both, kinds may have all lanes of a row before those of the next.
#pragma once

#include <cstdint>

namespace uniq::kernels {

/// Rows in a slot, of any kind; vectors in a block, of all kinds.
inline constexpr std::int64_t kMostSlotRows = 4;
inline constexpr std::int64_t kDepthwiseVectors = 4;

/// Makes the slots of a group of rows.
struct SlotWork {
  const std::uint8_t* rows[kMostSlotRows];  ///< first column, first channel of the block
  std::int64_t row_pixel;                   ///< bytes from a column to the next
  std::int64_t columns;
  std::int64_t vectors;  ///< of the block; a whole block's channels are read all the same
  void* slots;
};

/// sum = (sum of weight * code << shift) + term, of neighbouring outputs of a row and a block. With
/// ones, each weight counts twice and one more.
struct DepthwiseWork {
  const void* slots;  ///< of the first output's first tap
  std::int64_t groups, group_bytes;
  std::int64_t columns, column_bytes;  ///< of the window; from one to the next
  std::int64_t pixels, pixel_bytes;    ///< outputs; from one's first slot to the next one's
  std::int64_t vectors;                ///< of the block
  const void* weights;                 ///< of the first vector
  std::int64_t weights_vector;         ///< bytes to those of the next one
  const void* ones;                    ///< of each group of rows, 1 in rows of the window; or null
  int shift;
  const std::int32_t* terms;  ///< [vector][lane]
  std::int32_t* sums;
  std::int64_t sums_pixel;
};

/// VPDPBUSD. A slot has 4 codes; weights have 8 bits. The only one that takes ones.
struct Avx512BytesDepthwise {
  static constexpr std::int64_t kLanes = 16;
  static constexpr std::int64_t kSlotRows = 4;
};
void slots_avx512_bytes(const SlotWork& work);
void depthwise_avx512_bytes(const DepthwiseWork& work);

/// VPMADDWD. A slot has 2 codes of 16 bits, as weights have.
struct Avx2Depthwise {
  static constexpr std::int64_t kLanes = 8;
  static constexpr std::int64_t kSlotRows = 2;
};
void slots_avx2(const SlotWork& work);
void depthwise_avx2(const DepthwiseWork& work);

/// SMLAL: the same, with all lanes of the first row before those of the second.
struct NeonDepthwise {
  static constexpr std::int64_t kLanes = 4;
  static constexpr std::int64_t kSlotRows = 2;
};
void slots_neon(const SlotWork& work);
void depthwise_neon(const DepthwiseWork& work);

}  // namespace uniq::kernels
