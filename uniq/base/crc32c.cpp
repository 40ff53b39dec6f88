#include "uniq/base/crc32c.h"

#include <array>
#include <bit>
#include <cstring>

namespace uniq {
namespace {

constexpr std::uint32_t kReflectedPolynomial = 0x82F63B78u;
constexpr std::uint32_t kMaskDelta = 0xA282EAD8u;

/// Bytes taken at a time: eight look-ups that do not wait for each other, instead of a chain.
constexpr std::size_t kSlice = 8;

using Table = std::array<std::uint32_t, 256>;

/// tables[n][byte]: the remainder of the byte followed by n zero bytes.
constexpr std::array<Table, kSlice> make_tables() {
  std::array<Table, kSlice> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) {
      remainder = (remainder >> 1) ^ ((remainder & 1u) != 0 ? kReflectedPolynomial : 0u);
    }
    tables[0][byte] = remainder;
  }
  for (std::size_t n = 1; n < kSlice; ++n) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[n - 1][byte];
      tables[n][byte] = (before >> 8) ^ tables[0][before & 0xFFu];
    }
  }
  return tables;
}

constexpr std::array<Table, kSlice> kTables = make_tables();

/// The remainder after the next eight bytes.
std::uint32_t take_slice(std::uint32_t remainder, const std::byte* bytes) {
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, kSlice);
  word ^= remainder;
  return kTables[7][word & 0xFFu] ^ kTables[6][word >> 8 & 0xFFu] ^ kTables[5][word >> 16 & 0xFFu] ^
         kTables[4][word >> 24 & 0xFFu] ^ kTables[3][word >> 32 & 0xFFu] ^
         kTables[2][word >> 40 & 0xFFu] ^ kTables[1][word >> 48 & 0xFFu] ^ kTables[0][word >> 56];
}

}  // namespace

std::uint32_t extend_crc32c(std::uint32_t checksum, std::span<const std::byte> bytes) {
  std::uint32_t remainder = ~checksum;
  for (; bytes.size() >= kSlice; bytes = bytes.subspan(kSlice)) {
    remainder = take_slice(remainder, bytes.data());
  }
  for (const std::byte byte : bytes) {
    remainder =
        (remainder >> 8) ^ kTables[0][(remainder ^ std::to_integer<std::uint32_t>(byte)) & 0xFFu];
  }
  return ~remainder;
}

std::uint32_t crc32c(std::string_view bytes) {
  return extend_crc32c(0, std::as_bytes(std::span(bytes)));
}

std::uint32_t masked_crc32c(std::string_view bytes) {
  const std::uint32_t checksum = crc32c(bytes);
  return ((checksum >> 15) | (checksum << 17)) + kMaskDelta;
}

}  // namespace uniq
