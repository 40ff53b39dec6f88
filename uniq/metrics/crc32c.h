// CRC-32C (Castagnoli), the checksum of TFRecord files.
#pragma once

#include <cstdint>
#include <string_view>

namespace uniq::metrics {

/// Polynomial 0x1EDC6F41, reflected, initial value and final exclusive or all ones (RFC 3720,
/// B.4).
std::uint32_t crc32c(std::string_view bytes);

/// The form in which TFRecord stores a checksum, so that the checksum of data that itself holds
/// checksums stays well distributed.
std::uint32_t masked_crc32c(std::string_view bytes);

}  // namespace uniq::metrics
