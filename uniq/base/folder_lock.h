// One process at a time in a folder.
#pragma once

#include <filesystem>

#include "uniq/base/descriptor.h"

namespace uniq {

/// Holds a folder until it is destroyed or the process ends, however it ends; leaves no file.
/// Throws Error where another process (or another lock of this one) holds it. On file systems
/// without locks it holds nothing.
class FolderLock {
 public:
  /// `purpose` completes the error: "another process <purpose>".
  FolderLock(const std::filesystem::path& folder, const char* purpose);

 private:
  Descriptor descriptor_;
};

}  // namespace uniq
