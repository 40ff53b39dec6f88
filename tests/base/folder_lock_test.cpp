#include "uniq/base/folder_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>

#include "tests/base/temporary_folder.h"
#include "uniq/base/error.h"

namespace uniq {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::TemporaryFolder;
using ::testing::ThrowsMessage;

TEST(FolderLock, IsHeldByOne) {
  const TemporaryFolder folder;
  std::optional<FolderLock> first;
  first.emplace(folder.path(), "writes here");
  EXPECT_THAT([&] { FolderLock second(folder.path(), "writes here"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("another process writes here"),
                                         HasSubstr(folder.path().string()))));
  first.reset();
  EXPECT_NO_THROW(FolderLock third(folder.path(), "writes here"));
}

TEST(FolderLock, EndsWithAKilledProcess) {
  const TemporaryFolder folder;
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    const FolderLock held(folder.path(), "writes here");
    if (write(ready[1], "x", 1) == 1) pause();
    _exit(1);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_THROW(FolderLock(folder.path(), "writes here"), Error);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_NO_THROW(FolderLock(folder.path(), "writes here"));
  close(ready[0]);
  close(ready[1]);
}

TEST(FolderLock, LeavesNothingBehind) {
  const TemporaryFolder folder;
  { const FolderLock lock(folder.path(), "writes here"); }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace uniq
