#include "uniq/format/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "uniq/base/error.h"

namespace uniq::format {
namespace {

/// What a person can do about it.
const char* remedy(int error) {
  if (error == ENOENT) return "to check the path";
  // Pipes and devices have no bytes to map.
  return error == EINVAL || error == EISDIR ? "a regular file" : "";
}

[[noreturn]] void fail(const std::filesystem::path& path, int error) {
  throw Error(ErrorText{.what = "cannot open the file",
                        .where = path.string(),
                        .got = std::generic_category().message(error),
                        .expected = "",
                        .remedy = remedy(error)});
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) {
  // A pipe without a writer would block; of a regular file the flag says nothing.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) fail(path, errno);
  struct stat status {};
  int error = ::fstat(descriptor, &status) == 0 ? 0 : errno;
  if (error == 0 && S_ISDIR(status.st_mode)) error = EISDIR;
  if (error == 0 && !S_ISREG(status.st_mode)) error = EINVAL;
  if (error == 0 && status.st_size > 0) {
    const auto length = static_cast<std::size_t>(status.st_size);
    void* const mapped = ::mmap(nullptr, length, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (mapped == MAP_FAILED) {
      error = errno;
    } else {
      address_ = mapped;
      size_ = length;
    }
  }
  ::close(descriptor);
  if (error != 0) fail(path, error);
}

MappedFile::~MappedFile() {
  if (address_ != nullptr) ::munmap(address_, size_);
}

}  // namespace uniq::format
