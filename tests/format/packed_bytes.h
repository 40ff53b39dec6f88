// Bytes of packed models, right or wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "uniq/format/packed_header.h"

namespace uniq::testing {

template <class T>
T load(std::span<const std::byte> file, std::size_t offset) {
  T value{};
  std::memcpy(&value, file.data() + offset, sizeof value);
  return value;
}

template <class T>
void store(std::span<std::byte> file, std::size_t offset, T value) {
  std::memcpy(file.data() + offset, &value, sizeof value);
}

/// Makes the checksum right, so that the reader looks further.
inline void seal(std::span<std::byte> file) {
  if (file.size() < format::kPackedHeaderBytes) return;
  store(file, format::kPackedChecksumOffset, format::packed_checksum(file));
}

/// Makes the lengths right too, after bytes were added or removed behind the metadata.
inline void seal_size(std::span<std::byte> file) {
  if (file.size() < format::kPackedHeaderBytes) return;
  store(file, 16, std::uint64_t{file.size()});
  store(file, 48, file.size() - load<std::uint64_t>(file, 40));
  seal(file);
}

}  // namespace uniq::testing
