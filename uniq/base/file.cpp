#include "uniq/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <new>
#include <system_error>
#include <utility>

#include "uniq/base/error.h"
#include "uniq/base/text.h"

namespace uniq {
namespace {

/// What a person can do about a failed system call on a file that is read, or written.
const char* remedy(int error, bool written) {
  switch (error) {
    case ENOSPC:
      return "to free space on the disk";
    case EDQUOT:
      return "to free space within the disk quota";
    case EFBIG:
      return "to raise the file-size limit (ulimit -f)";
    case EACCES:
    case EPERM:
      return "to change the permissions of the file or its folder";
    case EROFS:
      return "a folder on a disk that can be written";
    case ENOENT:
      return written ? "to check the path and to create the folder" : "to check the path";
    case ENOTDIR:
    case EISDIR:
    case ENAMETOOLONG:
      return "another file name";
    case EMFILE:
    case ENFILE:
      return "to raise the limit of open files (ulimit -n)";
    case EINVAL:
      return written ? "" : "a regular file";
    case EIO:
      return "another disk";
    default:
      return "";
  }
}

[[noreturn]] void throw_system_error(const std::string& what, const std::filesystem::path& path,
                                     int error, bool written = false) {
  throw Error(ErrorText{.what = what,
                        .where = path.string(),
                        .got = std::generic_category().message(error),
                        .expected = "",
                        .remedy = remedy(error, written)});
}

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

int open_retrying(const std::filesystem::path& path, int flags, mode_t mode = 0) {
  for (;;) {
    const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    if (descriptor >= 0 || errno != EINTR) return descriptor;
  }
}

/// 0 or the error number.
int sync_retrying(int descriptor) {
  for (;;) {
    if (::fsync(descriptor) == 0) return 0;
    if (errno != EINTR) return errno;
  }
}

/// Makes a rename in `folder` survive a power cut. File systems that cannot sync a folder say
/// EINVAL; there is nothing more to do on them.
int sync_folder(const std::filesystem::path& folder) {
  const Descriptor descriptor(open_retrying(folder, O_RDONLY | O_DIRECTORY));
  // A folder may be writable without being readable; its entries are then synced by the system.
  if (descriptor.get() < 0) return errno == EACCES ? 0 : errno;
  const int error = sync_retrying(descriptor.get());
  return error == EINVAL ? 0 : error;
}

[[noreturn]] void throw_too_large(const std::filesystem::path& path, std::uintmax_t size,
                                  std::size_t limit) {
  throw Error(ErrorText{.what = "file is too large",
                        .where = path.string(),
                        .got = size == 0 ? "more" : human_bytes(static_cast<double>(size)),
                        .expected = "at most " + human_bytes(static_cast<double>(limit)),
                        .remedy = ""});
}

}  // namespace

std::string read_file(const std::filesystem::path& path, std::size_t limit) {
  const Descriptor file(open_retrying(path, O_RDONLY));
  if (file.get() < 0) throw_system_error("cannot open the file", path, errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw_system_error("cannot read the file", path, errno);
  if (S_ISDIR(status.st_mode)) throw_system_error("cannot read the file", path, EISDIR);

  // The size is only a first guess: pipes have none, and a file may grow while it is read.
  const auto announced = static_cast<std::uintmax_t>(status.st_size);
  if (announced > limit) throw_too_large(path, announced, limit);
  constexpr std::size_t kChunk = 1 << 16;
  std::string contents(static_cast<std::size_t>(announced) + 1, '\0');
  std::size_t size = 0;
  for (;;) {
    if (size == contents.size()) contents.resize(size + std::max(size, kChunk));
    const ssize_t got = ::read(file.get(), contents.data() + size, contents.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_system_error("cannot read the file", path, errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
    if (size > limit) throw_too_large(path, 0, limit);
  }
  contents.resize(size);
  return contents;
}

InputFile::InputFile(const std::filesystem::path& path) : path_(path) {
  // A pipe without a writer would block; for a regular file the flag means nothing.
  Descriptor file(open_retrying(path, O_RDONLY | O_NONBLOCK));
  struct stat status {};
  int error = file.get() < 0 || ::fstat(file.get(), &status) != 0 ? errno : 0;
  if (error == 0 && S_ISDIR(status.st_mode)) error = EISDIR;
  if (error == 0 && !S_ISREG(status.st_mode)) error = EINVAL;
  if (error != 0) throw_system_error("cannot open the file", path, error);
  size_ = static_cast<std::uint64_t>(status.st_size);
  modified_ = status.st_mtim;
  descriptor_ = file.release();
}

InputFile::~InputFile() { ::close(descriptor_); }

void InputFile::read(std::uint64_t offset, std::span<std::byte> to) const {
  while (!to.empty()) {
    const ssize_t got = ::pread(descriptor_, to.data(), to.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_system_error("cannot read the file", path_, errno);
    if (got == 0) fail_changed(offset);
    offset += static_cast<std::uint64_t>(got);
    to = to.subspan(static_cast<std::size_t>(got));
  }
}

PageBytes InputFile::read_rest(std::uint64_t offset) const {
  PageBytes rest = memory_for(size_ - offset);
  read(offset, rest.bytes());
  check_unchanged();
  return rest;
}

/// A sparse file costs its maker nothing: one that is larger than all memory is refused before
/// there is none left for others.
PageBytes InputFile::memory_for(std::uint64_t size) const {
  const auto most = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                    static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  try {
    if (size <= most) return PageBytes(static_cast<std::size_t>(size));
  } catch (const std::bad_alloc&) {
    throw Error(ErrorText{.what = "out of memory",
                          .where = path_.string(),
                          .got = human_bytes(static_cast<double>(size)) + " to read",
                          .remedy = "with more memory"});
  }
  throw_too_large(path_, size, static_cast<std::size_t>(most));
}

void InputFile::check_unchanged() const {
  struct stat now {};
  if (::fstat(descriptor_, &now) != 0) throw_system_error("cannot read the file", path_, errno);
  const bool is_same = static_cast<std::uint64_t>(now.st_size) == size_ &&
                       now.st_mtim.tv_sec == modified_.tv_sec &&
                       now.st_mtim.tv_nsec == modified_.tv_nsec;
  if (!is_same) fail_changed(static_cast<std::uint64_t>(now.st_size));
}

void InputFile::fail_changed(std::uint64_t size) const {
  throw Error(ErrorText{.what = "the file was changed while it was read",
                        .where = path_.string(),
                        .got = std::to_string(size) + " bytes",
                        .expected = std::to_string(size_) + ", not written to",
                        .remedy = "again; a file is replaced safely by renaming another"});
}

AtomicFile::AtomicFile(const std::filesystem::path& path) : path_(path), target_(path) {
  std::error_code ignored;
  if (std::filesystem::is_symlink(path, ignored)) {
    target_ = std::filesystem::weakly_canonical(path, ignored);
    if (target_.empty()) target_ = path;
  }
  const std::filesystem::file_status status = std::filesystem::status(target_, ignored);
  if (std::filesystem::is_directory(status)) fail("write", EISDIR);
  if (!std::filesystem::exists(status) || std::filesystem::is_regular_file(status)) {
    create_temporary();
    return;
  }
  descriptor_ = open_retrying(target_, O_WRONLY);
  if (descriptor_ < 0) fail("open", errno);
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::create_temporary() {
  static std::atomic<unsigned> counter{0};
  std::string stem = ".";
  stem += target_.filename().string();
  stem += '.';
  stem += std::to_string(::getpid());
  stem += '-';
  for (;;) {
    temporary_ = target_.parent_path() / (stem + std::to_string(counter++) + ".tmp");
    descriptor_ = open_retrying(temporary_, O_WRONLY | O_CREAT | O_EXCL, 0666);
    if (descriptor_ >= 0) return;
    const int error = errno;
    if (error == EEXIST) continue;  // left by a killed process that had the same number
    temporary_.clear();
    fail("create", error);
  }
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

void ignore_file_size_signal() { std::signal(SIGXFSZ, SIG_IGN); }

}  // namespace uniq
