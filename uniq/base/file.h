// Reading whole files, and writing them whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace uniq {

/// The whole file; throws Error that names it and says why it cannot be read (a directory is not a
/// file). `limit`: largest size accepted, in bytes.
std::string read_file(const std::filesystem::path& path, std::size_t limit = std::size_t{1} << 34);

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
