// A whole file in memory, read-only, without reading it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace uniq::format {

/// The file must not be cut while it is mapped; replacing it is safe: the mapping keeps what it
/// mapped. An empty file has no bytes.
class MappedFile {
 public:
  /// Throws Error that names the file: it cannot be opened, or is no regular file.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  /// From the beginning of a page.
  std::span<const std::byte> bytes() const {
    return {static_cast<const std::byte*>(address_), size_};
  }

 private:
  void* address_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace uniq::format
