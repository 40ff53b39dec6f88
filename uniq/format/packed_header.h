// The first 64 bytes of a .uniq file: what it is, how long its parts are, and the checksum over
// everything. docs/format.md has the table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace uniq::format {

inline constexpr std::size_t kPackedHeaderBytes = 64;
inline constexpr std::size_t kPackedChecksumOffset = 56;

/// No valid model needs as much; FlatBuffers ends at 2^31.
inline constexpr std::uint64_t kMaxMetadata = std::uint64_t{1} << 29;

/// The next multiple of 64, where a blob may begin.
constexpr std::uint64_t blob_aligned(std::uint64_t offset) { return (offset + 63) / 64 * 64; }

/// Whether a file begins with the identifier of a packed model. Its first eight bytes, or more.
bool begins_like_packed(std::span<const std::byte> start);

/// What a header says. At least a header is there.
std::uint32_t stored_packed_checksum(std::span<const std::byte> start);

/// CRC-32C of the file with the checksum's own four bytes as zeros. At least a header is there.
std::uint32_t packed_checksum(std::span<const std::byte> file);

/// Fills the header of a file whose other bytes are in place. Precondition: they fit.
void write_packed_header(std::span<std::byte> file, std::uint32_t version,
                         std::size_t metadata_size);

/// Throws Error, which names `where`, unless `start`, the first bytes of a file of `file_size`, as
/// many as a header has where there are as many, is of a version that is read and says that size.
void check_packed_start(std::span<const std::byte> start, std::uint64_t file_size,
                        const std::string& where);

struct PackedLayout {
  std::uint64_t metadata_size = 0;
  std::uint64_t blobs_offset = 0;
};

/// What the header says beyond that. Throws Error, which names `where`, unless its fields fit each
/// other and a file of `file_size`. Precondition: check_packed_start() has passed.
PackedLayout check_packed_fields(std::span<const std::byte> header, std::uint64_t file_size,
                                 const std::string& where);

struct PackedSections {
  std::uint32_t version = 0;  ///< 1 to kPackedVersion
  std::span<const std::byte> metadata;
  std::span<const std::byte> blobs;
};

/// Throws Error, which names `where`, unless the header, the checksum and the padding behind the
/// metadata are right.
PackedSections read_packed_header(std::span<const std::byte> file, const std::string& where);

}  // namespace uniq::format
