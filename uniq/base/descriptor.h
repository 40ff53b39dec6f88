// System calls on files, with errors that name the file and say what to do about it.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

namespace uniq {

/// Closes a descriptor at the end of a scope.
class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return descriptor_; }
  int release() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
};

/// open(), again where a signal interrupted it; -1 and errno where it fails.
int open_retrying(const std::filesystem::path& path, int flags, mode_t mode = 0);

/// Opens a regular file to be read. Throws Error that names it where it cannot be opened, or is
/// none: a pipe whose writer never comes does not block.
Descriptor open_regular(const std::filesystem::path& path);

/// fsync(), again where a signal interrupted it; 0 or the error number.
int sync_retrying(int descriptor);

/// fstat(); throws Error that names `path`.
struct stat status_of(int descriptor, const std::filesystem::path& path);

/// Throws Error "<what> (<path>): got <message of the error number>; try ...". `written`: whether
/// the file is written.
[[noreturn]] void throw_system_error(const std::string& what, const std::filesystem::path& path,
                                     int error, bool written = false);

/// Throws Error "file is too large"; `size`: in bytes, 0 where it is not known.
[[noreturn]] void throw_too_large(const std::filesystem::path& path, std::uintmax_t size,
                                  std::uintmax_t limit);

/// Throws the same for a file that is larger than all memory of the machine, before any is taken: a
/// sparse file costs its maker nothing.
void check_fits_memory(const std::filesystem::path& path, std::uintmax_t size);

/// Throws Error for a regular file that was written to between the two: what was read of it
/// meanwhile is neither what it held before nor what it is going to hold.
void check_unchanged(const struct stat& before, const struct stat& after,
                     const std::filesystem::path& path);

}  // namespace uniq
