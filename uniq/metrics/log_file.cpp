#include "uniq/metrics/log_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "uniq/base/error.h"

namespace uniq::metrics {

// A pipe that nobody reads would block.
LogFile::LogFile(std::filesystem::path path, std::int64_t length)
    : path_(std::move(path)),
      descriptor_(open_retrying(path_, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK, 0666)) {
  if (descriptor_.get() < 0) fail("open", errno);
  const std::int64_t size = status_of(descriptor_.get(), path_).st_size;
  if (size < length) {
    throw Error({.what = "metrics file is shorter than the checkpoint says",
                 .where = path_.string(),
                 .got = std::to_string(size) + " bytes",
                 .expected = "at least " + std::to_string(length),
                 .remedy = "to start the run anew, in another folder"});
  }
  if (size > length && !truncate(length)) fail("cut", errno);
  length_ = length;
}

void LogFile::append(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor_.get(), text.data(), text.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      fail("write", errno);
    }
    text.remove_prefix(static_cast<std::size_t>(written));
    length_ += written;
  }
}

bool LogFile::truncate(std::int64_t length) noexcept {
  if (::ftruncate(descriptor_.get(), length) != 0) return false;
  length_ = length;
  return true;
}

void LogFile::sync() {
  // Not every kind of file can be synced (a pipe, a device); those have nothing to lose.
  const int error = sync_retrying(descriptor_.get());
  if (error != 0 && error != EINVAL && error != EROFS) fail("sync", error);
}

void LogFile::fail(const char* action, int error) const {
  throw_system_error(std::string("cannot ") + action + " metrics file", path_, error, true);
}

}  // namespace uniq::metrics
