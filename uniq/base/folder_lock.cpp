#include "uniq/base/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "uniq/base/error.h"

namespace uniq {

FolderLock::FolderLock(const std::filesystem::path& folder, const char* purpose)
    : descriptor_(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (descriptor_ < 0 || flock(descriptor_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
  close(descriptor_);
  throw Error({.what = std::string("another process ") + purpose,
               .where = folder.string(),
               .remedy = "to wait until it ends, or another folder"});
}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace uniq
