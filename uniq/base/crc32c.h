// CRC-32C (Castagnoli), the checksum of TFRecord files and of packed models.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace uniq {

/// Polynomial 0x1EDC6F41, reflected, initial value and final exclusive or all ones (RFC 3720,
/// B.4).
std::uint32_t crc32c(std::string_view bytes);

/// The checksum of everything so far, whose own is `checksum`, followed by `bytes`; that of nothing
/// is 0.
std::uint32_t extend_crc32c(std::uint32_t checksum, std::span<const std::byte> bytes);

/// The form in which TFRecord stores a checksum, so that the checksum of data that itself holds
/// checksums stays well distributed.
std::uint32_t masked_crc32c(std::string_view bytes);

}  // namespace uniq
