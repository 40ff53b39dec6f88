// Regular files that are read in parts, or whole into pages of their own.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "uniq/base/descriptor.h"
#include "uniq/base/page_bytes.h"

namespace uniq {

/// A regular file whose size is known before any memory is taken for it, and which is read, not
/// mapped: once that is done, nothing depends on it. Not for several threads at once.
class RegularFile {
 public:
  /// Throws Error that names the file: it cannot be opened, or is no regular file.
  explicit RegularFile(const std::filesystem::path& path);

  std::uint64_t size() const;  ///< in bytes, when it was opened
  /// Fills `to` with the bytes from `offset` on. Throws Error where they cannot be read, or the
  /// file has been cut.
  void read(std::uint64_t offset, std::span<std::byte> to) const;
  /// The bytes from `offset` to the end. Throws Error too where they do not fit into memory, and
  /// where the file is no longer as it was when it was opened.
  PageBytes read_rest(std::uint64_t offset) const;

 private:
  PageBytes memory_for(std::uint64_t size) const;
  void check() const;

  std::filesystem::path path_;
  Descriptor descriptor_;
  struct stat opened_ = {};
};

}  // namespace uniq
