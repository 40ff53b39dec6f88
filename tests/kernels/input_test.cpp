#include "uniq/kernels/input.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <vector>

#include "tests/support/guarded_memory.h"
#include "tests/support/random_test.h"
#include "uniq/base/cpu.h"
#include "uniq/kernels/isa.h"

namespace uniq::kernels {
namespace {

using uniq::testing::Guarded;
using uniq::testing::Side;

using RandomInputWords = testing::RandomTest;

TEST_F(RandomInputWords, EachByteNamesACodeOfItsChannel) {
  for (const Isa isa : available_isas())
    for (std::int64_t channels = 1; channels <= 4; ++channels)
      for (const std::int64_t columns : {1, 2, 15, 16, 17, 31, 33, 224})
        for (const Side side : {Side::begin, Side::end}) {
          const auto bytes = [&](std::int64_t count) {
            std::vector<std::uint8_t> made(static_cast<std::size_t>(count));
            for (std::uint8_t& byte : made) byte = static_cast<std::uint8_t>(random_());
            return made;
          };
          const std::vector<std::uint8_t> pixels = bytes(columns * channels);
          const std::vector<std::uint8_t> codes = bytes(channels * 256);
          std::vector<std::uint8_t> expected(static_cast<std::size_t>(columns * 4), 0);
          for (std::int64_t i = 0; i < columns; ++i)
            for (std::int64_t c = 0; c < channels; ++c)
              expected[static_cast<std::size_t>(4 * i + c)] = codes[static_cast<std::size_t>(
                  256 * c + pixels[static_cast<std::size_t>(i * channels + c)])];
          Guarded<std::uint8_t> from(pixels, side), table(codes, side);
          Guarded<std::uint8_t> to(std::vector<std::uint8_t>(expected.size(), 0xee), side);
          input_words_of(isa, cpu_info())({.pixels = from.data(),
                                           .channels = channels,
                                           .columns = columns,
                                           .codes = table.data(),
                                           .to = to.data()});
          EXPECT_EQ(to.values(), expected)
              << isa_name(isa) << ", " << channels << " channels, " << columns << " columns";
        }
}

}  // namespace
}  // namespace uniq::kernels
