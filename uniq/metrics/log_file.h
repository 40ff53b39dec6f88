// A file that only grows, written straight through, and that can be cut back to an earlier length.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "uniq/base/descriptor.h"

namespace uniq::metrics {

class LogFile {
 public:
  /// Opens or creates the file and cuts it to `length` bytes; throws Error where it is shorter or
  /// cannot be opened.
  LogFile(std::filesystem::path path, std::int64_t length);

  /// Throws Error, e.g. on a full disk; what was written of the text before that stands there.
  void append(std::string_view text);

  /// Cuts the file; false where the system refuses.
  bool truncate(std::int64_t length) noexcept;

  /// Throws Error where the bytes cannot be brought to the disk.
  void sync();

  std::int64_t length() const { return length_; }

 private:
  [[noreturn]] void fail(const char* action, int error) const;

  std::filesystem::path path_;
  Descriptor descriptor_;
  std::int64_t length_ = 0;
};

}  // namespace uniq::metrics
