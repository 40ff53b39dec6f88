#include "uniq/base/file.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <system_error>
#include <utility>
#include <vector>

#include "uniq/base/descriptor.h"
#include "uniq/base/error.h"
#include "uniq/base/memory.h"
#include "uniq/base/text.h"

namespace uniq {
namespace {

/// How the names of temporary files begin, in front of the process's number, and end.
constexpr std::string_view kTemporary = ".uniqnn-";
constexpr std::string_view kTemporaryEnd = ".tmp";

/// Makes a rename in `folder` survive a power cut. File systems that cannot sync a folder say
/// EINVAL; there is nothing more to do on them.
int sync_folder(const std::filesystem::path& folder) {
  const Descriptor descriptor(open_retrying(folder, O_RDONLY | O_DIRECTORY));
  // A folder may be writable without being readable; its entries are then synced by the system.
  if (descriptor.get() < 0) return errno == EACCES ? 0 : errno;
  const int error = sync_retrying(descriptor.get());
  return error == EINVAL ? 0 : error;
}

Descriptor open_to_read(const std::filesystem::path& path) {
  const int descriptor = open_retrying(path, O_RDONLY);
  if (descriptor < 0) throw_system_error("cannot open the file", path, errno);
  return Descriptor(descriptor);
}

/// 0 at the end of the file.
std::size_t read_some(int descriptor, const std::filesystem::path& path, char* to,
                      std::size_t bytes) {
  for (;;) {
    const ssize_t got = ::read(descriptor, to, bytes);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) throw_system_error("cannot read the file", path, errno);
  }
}

/// Reads until `contents` is full or the file ends; returns how many bytes of it are read then.
std::size_t fill(int descriptor, const std::filesystem::path& path, std::string& contents,
                 std::size_t size) {
  while (size < contents.size()) {
    const std::size_t got =
        read_some(descriptor, path, contents.data() + size, contents.size() - size);
    if (got == 0) break;
    size += got;
  }
  return size;
}

std::string read_all(int descriptor, const std::filesystem::path& path, const LimitByStart& limit) {
  const struct stat before = status_of(descriptor, path);
  if (S_ISDIR(before.st_mode)) throw_system_error("cannot read the file", path, EISDIR);
  std::string contents(kFileStart, '\0');
  std::size_t size = fill(descriptor, path, contents, 0);
  const std::size_t most = limit(std::string_view(contents).substr(0, size));
  // The size is only a first guess: pipes have none, nor have the files in /proc.
  const auto announced = static_cast<std::uintmax_t>(before.st_size);
  if (announced > most) throw_too_large(path, announced, most);
  check_fits_memory(path, announced);
  constexpr std::size_t kChunk = 1 << 16;
  std::size_t room = static_cast<std::size_t>(announced) + 1;
  for (;;) {
    if (size > most) throw_too_large(path, 0, most);
    if (size < contents.size()) break;
    if (room <= size) room = size + std::max(size, kChunk);
    with_memory(path.string(), room, [&] { contents.resize(room); });
    size = fill(descriptor, path, contents, size);
  }
  contents.resize(size);
  check_unchanged(before, status_of(descriptor, path), path);
  return contents;
}

/// Makes of a symbolic link the path that it stands for, of which the last part may be missing.
/// Returns 0 or the error number.
int follow_links(std::filesystem::path& path) {
  constexpr int kMostLinks = 40;  // Linux's own limit
  std::error_code error;
  for (int i = 0; i < kMostLinks; ++i) {
    if (!std::filesystem::is_symlink(path, error)) return 0;
    path = path.parent_path() / std::filesystem::read_symlink(path, error);
    if (error) return error.value();
  }
  return ELOOP;
}

/// Gives a new file the access control list of another. Returns false where that has one, and it
/// cannot be given: its mode then shows what somebody in the list may do as what the group may.
bool take_access_list(int descriptor, const std::filesystem::path& from) {
  constexpr const char* kName = "system.posix_acl_access";
  std::vector<char> list(XATTR_SIZE_MAX);
  const ssize_t size = ::getxattr(from.c_str(), kName, list.data(), list.size());
  if (size < 0) {
    // The folder may have given it one.
    if (errno == ENODATA) static_cast<void>(::fremovexattr(descriptor, kName));
    return true;
  }
  return ::fsetxattr(descriptor, kName, list.data(), static_cast<std::size_t>(size), 0) == 0;
}

/// Gives a new file the owner, group and permissions of the one that it is going to replace.
void take_permissions(int descriptor, const std::filesystem::path& from,
                      const struct stat& replaced) {
  constexpr uid_t kKeep = static_cast<uid_t>(-1);
  mode_t mode = replaced.st_mode & 0777;
  const bool has_owner = ::fchown(descriptor, replaced.st_uid, replaced.st_gid) == 0;
  const bool has_group = has_owner || ::fchown(descriptor, kKeep, replaced.st_gid) == 0;
  if (!has_group || !take_access_list(descriptor, from)) {
    const mode_t everybody = mode & 07;
    mode = (mode & 0707) | (mode & (everybody << 3));
  }
  // File systems without permissions refuse; there is nothing to keep on them.
  static_cast<void>(::fchmod(descriptor, mode));
}

}  // namespace

bool file_exists(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  throw_system_error("cannot open the file", path, errno);
}

bool can_be_read_again(const std::filesystem::path& path) {
  std::error_code unknown;
  const std::filesystem::file_status status = std::filesystem::status(path, unknown);
  return !std::filesystem::exists(status) || std::filesystem::is_regular_file(status) ||
         std::filesystem::is_directory(status) || std::filesystem::is_block_file(status);
}

std::string read_file(const std::filesystem::path& path, std::size_t limit) {
  const Descriptor file = open_to_read(path);
  return read_all(file.get(), path, [limit](std::string_view) { return limit; });
}

std::string read_regular_file(const std::filesystem::path& path, std::size_t limit) {
  const Descriptor file = open_regular(path);
  return read_all(file.get(), path, [limit](std::string_view) { return limit; });
}

std::string read_file_start(const std::filesystem::path& path, std::size_t bytes) {
  const Descriptor file = open_to_read(path);
  std::string contents(bytes, '\0');
  contents.resize(fill(file.get(), path, contents, 0));
  return contents;
}

std::string read_input(const std::string& file, std::size_t limit) {
  return read_input(file, [limit](std::string_view) { return limit; });
}

std::string read_input(const std::string& file, const LimitByStart& limit) {
  if (file == kStandardInput) return read_all(STDIN_FILENO, input_name(file), limit);
  const Descriptor descriptor = open_to_read(file);
  return read_all(descriptor.get(), file, limit);
}

std::string input_name(const std::string& file) {
  return file == kStandardInput ? "standard input" : file;
}

AtomicFile::AtomicFile(const std::filesystem::path& path) : path_(path), target_(path) {
  struct stat status {};
  // The links in /proc/self/fd are followed by the system alone: what they say is no path.
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
    descriptor_ = open_retrying(path, O_WRONLY);
    if (descriptor_ < 0) fail("open", errno);
    return;
  }
  if (const int error = follow_links(target_); error != 0) fail("write", error);
  const bool exists = ::stat(target_.c_str(), &status) == 0;
  if (!exists && errno != ENOENT) fail("create", errno);
  if (exists && S_ISDIR(status.st_mode)) fail("write", EISDIR);
  create_temporary(exists ? &status : nullptr);
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::create_temporary(const struct stat* replaced) {
  static std::atomic<unsigned> counter{0};
  // Short, whatever the file's own name: that may be as long as the system allows.
  const std::string stem = std::string(kTemporary) + std::to_string(::getpid()) + "-";
  const mode_t mode = replaced == nullptr ? 0666 : 0600;
  for (;;) {
    temporary_ = target_.parent_path() / (stem + std::to_string(counter++)).append(kTemporaryEnd);
    descriptor_ = open_retrying(temporary_, O_WRONLY | O_CREAT | O_EXCL, mode);
    if (descriptor_ >= 0) break;
    const int error = errno;
    if (error == EEXIST) continue;  // left by a killed process that had the same number
    temporary_.clear();
    fail("create", error);
  }
  if (replaced != nullptr) take_permissions(descriptor_, target_, *replaced);
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  if (descriptor_ < 0) fail("write after commit to", EBADF);
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("write", errno);
    // A regular file never accepts nothing without an error; a broken driver would loop for ever.
    if (written == 0) fail("write", EIO);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void AtomicFile::commit() {
  if (descriptor_ < 0) fail("commit twice", EBADF);
  if (temporary_.empty()) {
    close_checked();
    return;
  }
  if (const int error = sync_retrying(descriptor_); error != 0) fail("write", error);
  close_checked();
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail("replace", errno);
  temporary_.clear();
  const std::filesystem::path folder = target_.parent_path();
  if (const int error = sync_folder(folder.empty() ? "." : folder); error != 0) {
    fail("sync the folder of", error);
  }
}

/// Network file systems report a full disk only here. After EINTR Linux has closed it already.
void AtomicFile::close_checked() {
  const int descriptor = std::exchange(descriptor_, -1);
  if (::close(descriptor) != 0 && errno != EINTR) fail("write", errno);
}

void AtomicFile::discard() noexcept {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  if (temporary_.empty()) return;
  ::unlink(temporary_.c_str());
  temporary_.clear();
}

void AtomicFile::fail(const char* action, int error) {
  discard();
  throw_system_error(std::string("cannot ") + action + " the file", path_, error, true);
}

void write_file(const std::filesystem::path& path, std::string_view contents) {
  AtomicFile file(path);
  file.write(contents);
  file.commit();
}

bool is_torn_file(const std::string& name) {
  if (!name.starts_with(kTemporary) || !name.ends_with(kTemporaryEnd)) return false;
  const char* const number = name.c_str() + kTemporary.size();
  pid_t process = 0;
  const auto [end, error] = std::from_chars(number, name.c_str() + name.size(), process);
  if (error != std::errc() || *end != '-' || process < 1) return false;
  // Another process that lives is still writing, or has the number of one that was killed.
  return process == ::getpid() || (::kill(process, 0) != 0 && errno == ESRCH);
}

void ignore_file_size_signal() { std::signal(SIGXFSZ, SIG_IGN); }

}  // namespace uniq
