// Reading whole files, and writing them whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

struct stat;

namespace uniq {

/// The largest size that read_file() accepts where nobody says otherwise, in bytes.
inline constexpr std::size_t kLargestFile = std::size_t{1} << 34;

/// The whole file; throws Error that names it and says why it cannot be read (a directory is not a
/// file; another program wrote into it meanwhile). `limit`: largest size accepted, in bytes.
std::string read_file(const std::filesystem::path& path, std::size_t limit = kLargestFile);

/// The same for a file that this program has written: a pipe or a device in its place is an Error,
/// and is not waited for.
std::string read_regular_file(const std::filesystem::path& path, std::size_t limit = kLargestFile);

/// At most the first `bytes` of a file.
std::string read_file_start(const std::filesystem::path& path, std::size_t bytes);

/// Whether a file or folder of that name is there. Throws Error where it cannot be told: without
/// permission, behind a symbolic link to itself, of a name that is too long.
bool file_exists(const std::filesystem::path& path);

/// Whether a file can be read again from its beginning: not a pipe, a socket or a terminal.
bool can_be_read_again(const std::filesystem::path& path);

/// The argument that stands for standard input.
inline constexpr std::string_view kStandardInput = "-";

/// As read_file(); "-" is standard input, read to its end.
std::string read_input(const std::string& file, std::size_t limit = kLargestFile);

/// The same where the limit depends on the kind of file: `limit` gets the first kFileStart bytes,
/// or all of a shorter file, before the rest is read or memory for it taken. It may throw.
inline constexpr std::size_t kFileStart = 4096;
using LimitByStart = std::function<std::size_t(std::string_view start)>;
std::string read_input(const std::string& file, const LimitByStart& limit);

/// How messages call the input: the file, or "standard input".
std::string input_name(const std::string& file);

/// A file that appears under its name only once commit() has written, synced and renamed it; until
/// then, and on any failure, what stood there before stays. Throws Error on a full disk, missing
/// permission, an interrupted write; the temporary file is removed. A symbolic link is followed,
/// not replaced; a device or a pipe (/dev/stdout) is written directly, for there is nothing to
/// keep. Not for several threads at once.
///
/// A file that is replaced keeps its permissions and, where the system permits it, its access
/// control list, its owner and group; where the group cannot be kept, the new group may do no more
/// than everybody.
///
/// A process that is killed leaves its temporary file, `.uniqnn-<pid>-<n>.tmp`, behind.
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
  void create_temporary(const struct stat* replaced);
  void discard() noexcept;
  void close_checked();

  std::filesystem::path path_;       ///< as the caller named it, for messages
  std::filesystem::path target_;     ///< behind symbolic links
  std::filesystem::path temporary_;  ///< empty once renamed or removed, or for a device
  int descriptor_ = -1;
};

void write_file(const std::filesystem::path& path, std::string_view contents);

/// Whether a file of that name is what an AtomicFile left whose process was killed.
bool is_torn_file(const std::string& name);

/// Makes a write beyond the file-size limit fail with an Error instead of killing the process.
void ignore_file_size_signal();

}  // namespace uniq
