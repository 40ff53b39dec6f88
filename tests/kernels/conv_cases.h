// Convolutions to try kernels on, in buffers of exactly the size that the kernels may touch: beside
// them are forbidden pages (support/guarded_new.cpp), or what the address sanitizer forbids.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "uniq/kernels/conv.h"

namespace uniq::kernels {

/// ends: weights 0, which stand for the most negative, and inputs M.
enum class Codes { random, zeros, largest, ends };

/// Where a code for what stands outside the picture is taken from.
enum class Pad { nothing, zero_code, middle_code, largest_code };

struct ConvCase {
  CodeConv conv;
  std::vector<std::uint8_t> weights;
  std::vector<std::uint8_t> input;  ///< dense, [row][column][channel]
};

/// The shape with the output's size filled in.
ConvShape with_output(ConvShape shape);

/// The bits and the grids that they come with: 23 pairs.
struct Format {
  Grid grid;
  int bits;
};
std::vector<Format> all_formats();

CodeConv make_conv(const ConvShape& shape, const Format& weights, const Format& activations,
                   Pad pad);

/// Whether no sum can leave int32, which the packer sees to.
bool sums_fit(const CodeConv& conv);

ConvCase make_case(const CodeConv& conv, Codes codes, std::mt19937& random);

/// A shape of up to about 10^5 multiply-adds, anything odd included.
ConvShape random_shape(std::mt19937& random);

/// All sums, [row][column][channel], computed in parts of as many rows and channels as asked for
/// (rounded up to what the kernel takes), each into memory of its own, from a map whose border is
/// wider than needed by `more`.
struct Cut {
  std::int64_t rows = 1 << 20;
  std::int64_t channels = 1 << 20;
  std::int64_t more = 0;
};
std::vector<std::int32_t> sums_of(const ConvKernel& kernel, const ConvCase& c, const Cut& cut = {});

/// Those that this CPU can run, without the scalar one.
std::vector<ConvKernel> fast_kernels();

std::string describe(const CodeConv& conv);

}  // namespace uniq::kernels
