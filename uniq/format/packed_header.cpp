#include "uniq/format/packed_header.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <cstring>

#include "uniq/base/crc32c.h"
#include "uniq/base/error.h"
#include "uniq/format/packed_file.h"

namespace uniq::format {
namespace {

/// As PNG's: no text begins so, and a transfer that changes line ends shows.
constexpr std::array<std::uint8_t, 8> kIdentifier = {0x89, 'U', 'N', 'I', 'Q', '\r', '\n', 0x1a};

constexpr std::size_t kVersionOffset = 8;
constexpr std::size_t kHeaderSizeOffset = 12;
constexpr std::size_t kFileSizeOffset = 16;
constexpr std::size_t kMetadataOffsetOffset = 24;
constexpr std::size_t kMetadataSizeOffset = 32;
constexpr std::size_t kBlobsOffsetOffset = 40;
constexpr std::size_t kBlobsSizeOffset = 48;
constexpr std::size_t kReservedOffset = 60;

template <std::unsigned_integral Integer>
void put(std::span<std::byte> file, std::size_t offset, Integer value) {
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    file[offset + i] = static_cast<std::byte>(value >> (8 * i) & 0xFFu);
  }
}

template <std::unsigned_integral Integer>
Integer get(std::span<const std::byte> file, std::size_t offset) {
  Integer value = 0;
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    value |= std::to_integer<Integer>(file[offset + i]) << (8 * i);
  }
  return value;
}

[[noreturn]] void fail_header(const std::string& what, const std::string& where,
                              const std::string& got, const std::string& expected,
                              const std::string& remedy = "") {
  throw Error(
      ErrorText{.what = what, .where = where, .got = got, .expected = expected, .remedy = remedy});
}

std::string hex(std::uint32_t value) {
  std::array<char, 8> digits{};
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16);
  const std::string text(digits.data(), result.ptr);
  return "0x" + std::string(digits.size() - text.size(), '0') + text;
}

/// What it is, and whether this version reads it.
void check_kind(std::span<const std::byte> file, const std::string& where) {
  if (!begins_like_packed(file)) {
    fail_header("the file is not a packed model", where, "",
                "the identifier of a .uniq file at its start",
                "a file that `uniqnn pack` has written");
  }
  if (file.size() < kPackedHeaderBytes) {
    fail_header("the packed model is cut off", where, std::to_string(file.size()) + " bytes",
                "at least " + std::to_string(kPackedHeaderBytes),
                "to copy or download the file again");
  }
  const auto version = get<std::uint32_t>(file, kVersionOffset);
  if (version > kPackedVersion) {
    fail_header("the packed model is of a newer version", where,
                "version " + std::to_string(version), "at most " + std::to_string(kPackedVersion),
                "a newer uniqnn, or to pack the checkpoint again with this one");
  }
  if (version == 0) {
    fail_header("the packed model has no valid version", where, std::to_string(version),
                "1 to " + std::to_string(kPackedVersion), "to copy or download the file again");
  }
}

/// In front of everything else that is read: behind this check, what is wrong was written so.
void check_damage(std::span<const std::byte> file, const std::string& where) {
  const std::uint32_t stored = stored_packed_checksum(file);
  const std::uint32_t computed = packed_checksum(file);
  if (stored != computed) {
    fail_header("the packed model is damaged", where, "checksum " + hex(computed), hex(stored),
                "to copy or download the file again, or to pack the checkpoint again");
  }
}

void expect(const char* field, std::uint64_t got, std::uint64_t expected,
            const std::string& where) {
  if (got == expected) return;
  fail_header(std::string(field) + " in the header is wrong", where, std::to_string(got),
              std::to_string(expected));
}

}  // namespace

bool begins_like_packed(std::span<const std::byte> start) {
  const auto identifier = std::as_bytes(std::span(kIdentifier));
  return start.size() >= identifier.size() &&
         std::equal(identifier.begin(), identifier.end(), start.begin());
}

std::uint32_t stored_packed_checksum(std::span<const std::byte> start) {
  return get<std::uint32_t>(start, kPackedChecksumOffset);
}

std::uint32_t packed_checksum(std::span<const std::byte> file) {
  std::array<std::byte, kPackedHeaderBytes> header{};
  std::copy_n(file.begin(), header.size(), header.begin());
  std::fill_n(header.begin() + kPackedChecksumOffset, sizeof(std::uint32_t), std::byte{0});
  return extend_crc32c(extend_crc32c(0, header), file.subspan(kPackedHeaderBytes));
}

void check_packed_start(std::span<const std::byte> start, std::uint64_t file_size,
                        const std::string& where) {
  check_kind(start, where);
  const auto size = get<std::uint64_t>(start, kFileSizeOffset);
  if (size == file_size) return;
  fail_header(size > file_size ? "the packed model is cut off"
                               : "the packed model is longer than its header says",
              where, std::to_string(file_size) + " bytes", std::to_string(size),
              "to copy or download the file again");
}

void write_packed_header(std::span<std::byte> file, std::uint32_t version,
                         std::size_t metadata_size) {
  const std::uint64_t blobs_offset = blob_aligned(kPackedHeaderBytes + metadata_size);
  std::memcpy(file.data(), kIdentifier.data(), kIdentifier.size());
  put(file, kVersionOffset, version);
  put(file, kHeaderSizeOffset, static_cast<std::uint32_t>(kPackedHeaderBytes));
  put(file, kFileSizeOffset, std::uint64_t{file.size()});
  put(file, kMetadataOffsetOffset, std::uint64_t{kPackedHeaderBytes});
  put(file, kMetadataSizeOffset, std::uint64_t{metadata_size});
  put(file, kBlobsOffsetOffset, blobs_offset);
  put(file, kBlobsSizeOffset, file.size() - blobs_offset);
  put(file, kReservedOffset, std::uint32_t{0});
  put(file, kPackedChecksumOffset, packed_checksum(file));
}

PackedLayout check_packed_fields(std::span<const std::byte> header, std::uint64_t file_size,
                                 const std::string& where) {
  expect("the size of the header", get<std::uint32_t>(header, kHeaderSizeOffset),
         kPackedHeaderBytes, where);
  expect("the reserved field", get<std::uint32_t>(header, kReservedOffset), 0, where);
  expect("the offset of the metadata", get<std::uint64_t>(header, kMetadataOffsetOffset),
         kPackedHeaderBytes, where);
  const auto metadata_size = get<std::uint64_t>(header, kMetadataSizeOffset);
  const std::uint64_t largest = std::min(kMaxMetadata, file_size - kPackedHeaderBytes);
  if (metadata_size > largest) {
    fail_header("the size of the metadata in the header is wrong", where,
                std::to_string(metadata_size), "at most " + std::to_string(largest));
  }
  const std::uint64_t blobs_offset = blob_aligned(kPackedHeaderBytes + metadata_size);
  expect("the offset of the blobs", get<std::uint64_t>(header, kBlobsOffsetOffset), blobs_offset,
         where);
  if (blobs_offset > file_size) {
    fail_header("the packed model ends within the padding of its metadata", where,
                std::to_string(file_size) + " bytes", "at least " + std::to_string(blobs_offset));
  }
  expect("the size of the blobs", get<std::uint64_t>(header, kBlobsSizeOffset),
         file_size - blobs_offset, where);
  return {.metadata_size = metadata_size, .blobs_offset = blobs_offset};
}

PackedSections read_packed_header(std::span<const std::byte> file, const std::string& where) {
  check_packed_start(file, file.size(), where);
  check_damage(file, where);
  const PackedLayout layout = check_packed_fields(file, file.size(), where);
  const std::uint64_t metadata_end = kPackedHeaderBytes + layout.metadata_size;
  const auto padding = file.subspan(metadata_end, layout.blobs_offset - metadata_end);
  if (std::any_of(padding.begin(), padding.end(), [](std::byte b) { return b != std::byte{0}; })) {
    fail_header("the padding behind the metadata is not zero", where, "", "zeros");
  }
  return {.version = get<std::uint32_t>(file, kVersionOffset),
          .metadata = file.subspan(kPackedHeaderBytes, layout.metadata_size),
          .blobs = file.subspan(layout.blobs_offset)};
}

}  // namespace uniq::format
