#include "uniq/base/descriptor.h"

#include <fcntl.h>

#include <cerrno>
#include <system_error>

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
    case ELOOP:
      return "to check where the symbolic link leads";
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

}  // namespace

void throw_system_error(const std::string& what, const std::filesystem::path& path, int error,
                        bool written) {
  throw Error(ErrorText{.what = what,
                        .where = path.string(),
                        .got = std::generic_category().message(error),
                        .expected = "",
                        .remedy = remedy(error, written)});
}

int open_retrying(const std::filesystem::path& path, int flags, mode_t mode) {
  for (;;) {
    const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    if (descriptor >= 0 || errno != EINTR) return descriptor;
  }
}

Descriptor open_regular(const std::filesystem::path& path) {
  // For a regular file O_NONBLOCK means nothing.
  Descriptor descriptor(open_retrying(path, O_RDONLY | O_NONBLOCK));
  struct stat status {};
  int error = descriptor.get() < 0 || ::fstat(descriptor.get(), &status) != 0 ? errno : 0;
  if (error == 0 && S_ISDIR(status.st_mode)) error = EISDIR;
  if (error == 0 && !S_ISREG(status.st_mode)) error = EINVAL;
  if (error != 0) throw_system_error("cannot open the file", path, error);
  return Descriptor(descriptor.release());
}

int sync_retrying(int descriptor) {
  for (;;) {
    if (::fsync(descriptor) == 0) return 0;
    if (errno != EINTR) return errno;
  }
}

struct stat status_of(int descriptor, const std::filesystem::path& path) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) throw_system_error("cannot read the file", path, errno);
  return status;
}

void throw_too_large(const std::filesystem::path& path, std::uintmax_t size, std::uintmax_t limit) {
  throw Error(ErrorText{.what = "file is too large",
                        .where = path.string(),
                        .got = size == 0 ? "more" : human_bytes(static_cast<double>(size)),
                        .expected = "at most " + human_bytes(static_cast<double>(limit)),
                        .remedy = ""});
}

void check_fits_memory(const std::filesystem::path& path, std::uintmax_t size) {
  const auto most = static_cast<std::uintmax_t>(::sysconf(_SC_PHYS_PAGES)) *
                    static_cast<std::uintmax_t>(::sysconf(_SC_PAGESIZE));
  if (size > most) throw_too_large(path, size, most);
}

void check_unchanged(const struct stat& before, const struct stat& after,
                     const std::filesystem::path& path) {
  if (!S_ISREG(before.st_mode)) return;
  const bool same_time = before.st_mtim.tv_sec == after.st_mtim.tv_sec &&
                         before.st_mtim.tv_nsec == after.st_mtim.tv_nsec;
  if (before.st_size == after.st_size && same_time) return;
  throw Error(
      ErrorText{.what = "the file changed while it was read",
                .where = path.string(),
                .got = before.st_size == after.st_size ? "another time of its last change"
                                                       : std::to_string(after.st_size) + " bytes",
                .expected = before.st_size == after.st_size ? "none meanwhile"
                                                            : std::to_string(before.st_size),
                .remedy = "again when nothing writes to it"});
}

}  // namespace uniq
