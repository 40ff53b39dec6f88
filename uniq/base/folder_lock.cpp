#include "uniq/base/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <string>

#include "uniq/base/error.h"

namespace uniq {

FolderLock::FolderLock(const std::filesystem::path& folder, const char* purpose)
    : descriptor_(open_retrying(folder, O_RDONLY | O_DIRECTORY)) {
  const int descriptor = descriptor_.get();
  if (descriptor < 0 || flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
  throw Error({.what = std::string("another process ") + purpose,
               .where = folder.string(),
               .remedy = "to wait until it ends, or another folder"});
}

}  // namespace uniq
