#include "uniq/metrics/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "uniq/base/descriptor.h"
#include "uniq/base/error.h"

namespace uniq::metrics {

LogFile::LogFile(std::filesystem::path path, std::int64_t length)
    : path_(std::move(path)),
      descriptor_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
  if (descriptor_ < 0) fail("open");
  try {
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0) fail("examine");
    if (status.st_size < length) {
      throw Error({.what = "metrics file is shorter than the checkpoint says",
                   .where = path_.string(),
                   .got = std::to_string(status.st_size) + " bytes",
                   .expected = "at least " + std::to_string(length),
                   .remedy = "to start the run anew, in another folder"});
    }
    if (status.st_size > length && !truncate(length)) fail("cut");
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
  length_ = length;
}

LogFile::~LogFile() { ::close(descriptor_); }

void LogFile::append(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor_, text.data(), text.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      fail("write");
    }
    text.remove_prefix(static_cast<std::size_t>(written));
    length_ += written;
  }
}

bool LogFile::truncate(std::int64_t length) noexcept {
  if (::ftruncate(descriptor_, length) != 0) return false;
  length_ = length;
  return true;
}

void LogFile::sync() {
  // Not every kind of file can be synced (a pipe, a device); those have nothing to lose.
  while (::fsync(descriptor_) != 0) {
    if (errno == EINVAL || errno == EROFS) return;
    if (errno != EINTR) fail("sync");
  }
}

void LogFile::fail(const char* action) const {
  throw_system_error(std::string("cannot ") + action + " metrics file", path_, errno, true);
}

}  // namespace uniq::metrics
