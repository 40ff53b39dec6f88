// Reading whole files, and writing them whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "uniq/base/page_bytes.h"

namespace uniq {

/// The whole file; throws Error that names it and says why it cannot be read (a directory is not a
/// file). `limit`: largest size accepted, in bytes.
std::string read_file(const std::filesystem::path& path, std::size_t limit = std::size_t{1} << 34);

/// A regular file whose size is known before any memory is taken for it, and which is read, not
/// mapped: once that is done, nothing depends on it. Not for several threads at once.
class InputFile {
 public:
  /// Throws Error that names the file: it cannot be opened, or is no regular file.
  explicit InputFile(const std::filesystem::path& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  std::uint64_t size() const { return size_; }  ///< in bytes, when it was opened
  /// Fills `to` with the bytes from `offset` on. Throws Error where they cannot be read, or the
  /// file has been cut.
  void read(std::uint64_t offset, std::span<std::byte> to) const;
  /// The bytes from `offset` to the end. Throws Error too where they do not fit into memory, and
  /// where the file is no longer as it was when it was opened.
  PageBytes read_rest(std::uint64_t offset) const;

 private:
  PageBytes memory_for(std::uint64_t size) const;
  void check_unchanged() const;
  [[noreturn]] void fail_changed(std::uint64_t size) const;

  std::filesystem::path path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  std::timespec modified_ = {};
};

/// A file that appears under its name only once commit() has written, synced and renamed it; until
/// then, and on any failure, what stood there before stays. Throws Error on a full disk, missing
/// permission, an interrupted write; the temporary file is removed. A symbolic link is followed,
/// not replaced; a device or a pipe (/dev/stdout) is written directly, for there is nothing to
/// keep. Not for several threads at once.
///
/// A process that is killed leaves its temporary file, `.<name>.<pid>-<n>.tmp`, behind.
/// A file-size limit (RLIMIT_FSIZE) raises SIGXFSZ, which kills by default: programs call
/// ignore_file_size_signal() at their start and get the Error instead.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  void commit();

 private:
  [[noreturn]] void fail(const char* action, int error);
  void create_temporary();
  void discard() noexcept;
  void close_checked();

  std::filesystem::path path_;       ///< as the caller named it, for messages
  std::filesystem::path target_;     ///< behind symbolic links
  std::filesystem::path temporary_;  ///< empty once renamed or removed, or for a device
  int descriptor_ = -1;
};

void write_file(const std::filesystem::path& path, std::string_view contents);

/// Makes a write beyond the file-size limit fail with an Error instead of killing the process.
void ignore_file_size_signal();

}  // namespace uniq
