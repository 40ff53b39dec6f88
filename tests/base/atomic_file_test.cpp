// Writing; file_test.cpp has reading.
#include "uniq/base/file.h"

#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/base/fault_injection.h"
#include "tests/base/temporary_folder.h"
#include "uniq/base/error.h"

namespace uniq {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using uniq::testing::FaultInjection;
using uniq::testing::TemporaryFolder;

/// Names in a folder: a temporary file that stays behind shows here.
std::vector<std::string> entries(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

TEST(AtomicFile, AppearsOnlyWithCommit) {
  const TemporaryFolder folder;
  const fs::path path = folder / "file";
  write_file(path, "old");
  {
    AtomicFile file(path);
    file.write("new ");
    file.write("contents");
    EXPECT_EQ(read_file(path), "old");
    file.commit();
    EXPECT_EQ(read_file(path), "new contents");
  }
  EXPECT_THAT(entries(folder.path()), ElementsAre("file"));
}

TEST(AtomicFile, AbandonedLeavesNothing) {
  const TemporaryFolder folder;
  const fs::path path = folder / "file";
  { AtomicFile(path).write("half"); }
  EXPECT_THAT(entries(folder.path()), ElementsAre());
}

TEST(AtomicFile, TwoAtOnceDoNotMix) {
  const TemporaryFolder folder;
  AtomicFile first(folder / "file");
  AtomicFile second(folder / "file");
  first.write("first");
  second.write("second");
  second.commit();
  first.commit();
  EXPECT_EQ(read_file(folder / "file"), "first");
  EXPECT_THAT(entries(folder.path()), ElementsAre("file"));
}

TEST(AtomicFile, SkipsTheTemporaryFilesOfAKilledProcess) {
  const TemporaryFolder folder;
  const std::string stem = ".uniqnn-" + std::to_string(::getpid()) + "-";
  for (int i = 0; i < 200; ++i) std::ofstream(folder / (stem + std::to_string(i) + ".tmp"));
  write_file(folder / "file", "fresh");
  EXPECT_EQ(read_file(folder / "file"), "fresh");
}

TEST(AtomicFile, FollowsSymbolicLinks) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "elsewhere");
  write_file(folder / "elsewhere/file", "old");
  fs::create_symlink("elsewhere/file", folder / "link");
  write_file(folder / "link", "new");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(read_file(folder / "elsewhere/file"), "new");
  EXPECT_THAT(entries(folder / "elsewhere"), ElementsAre("file"));
}

TEST(AtomicFile, FollowsALinkToWhatIsMissing) {
  const TemporaryFolder folder;
  fs::create_symlink("new", folder / "link");
  write_file(folder / "link", "contents");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(read_file(folder / "new"), "contents");
}

TEST(AtomicFile, RefusesALinkToItself) {
  const TemporaryFolder folder;
  fs::create_symlink("loop", folder / "loop");
  EXPECT_THAT(
      [&] { write_file(folder / "loop", "x"); },
      ThrowsMessage<Error>(HasSubstr("cannot write the file (" + (folder / "loop").string() +
                                     "): got Too many levels of symbolic links")));
  EXPECT_TRUE(fs::is_symlink(folder / "loop"));
  EXPECT_THAT(entries(folder.path()), ElementsAre("loop"));
}

mode_t mode_of(const fs::path& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_mode & 07777;
}

TEST(AtomicFile, KeepsThePermissions) {
  const TemporaryFolder folder;
  const mode_t umask = ::umask(027);
  write_file(folder / "new", "x");
  EXPECT_EQ(mode_of(folder / "new"), 0640u) << "of a new file as the umask says";
  for (const mode_t mode : {0600, 0644, 0664, 0640, 0400, 0755}) {
    const fs::path file = folder / "file";
    fs::remove(file);
    write_file(file, "old");
    ASSERT_EQ(::chmod(file.c_str(), mode), 0);
    {
      AtomicFile replacement(file);
      for (const std::string& name : entries(folder.path()))
        if (name.ends_with(".tmp")) {
          EXPECT_EQ(mode_of(folder / name), mode) << name;
        }
      replacement.write("new");
      replacement.commit();
    }
    EXPECT_EQ(mode_of(file), mode);
    EXPECT_EQ(read_file(file), "new");
  }
  ::umask(umask);
}

TEST(AtomicFile, TakesNamesAsLongAsTheSystemDoes) {
  const TemporaryFolder folder;
  const std::string longest(255, 'n');
  write_file(folder / longest, "old");
  write_file(folder / longest, "new");
  EXPECT_EQ(read_file(folder / longest), "new");
  EXPECT_THAT(entries(folder.path()), ElementsAre(longest));
  EXPECT_THAT([&] { write_file(folder / (longest + "n"), "x"); },
              ThrowsMessage<Error>(HasSubstr("File name too long")));
  const std::string path = "/" + std::string(4095, 'p');
  EXPECT_THAT([&] { write_file(path, "x"); },
              ThrowsMessage<Error>(HasSubstr("File name too long")));
  EXPECT_THAT([&] { read_file(path); }, ThrowsMessage<Error>(HasSubstr("File name too long")));
}

TEST(AtomicFile, RefusesAFolderAndAMissingOne) {
  const TemporaryFolder folder;
  EXPECT_THAT([&] { AtomicFile file(folder.path()); },
              ThrowsMessage<Error>(HasSubstr("got Is a directory; try another file name")));
  EXPECT_THAT([&] { AtomicFile file(folder / "no/such/file"); },
              ThrowsMessage<Error>(HasSubstr("try to check the path and to create the folder")));
}

TEST(AtomicFile, FullDisk) {
  AtomicFile file("/dev/full");
  EXPECT_THAT([&] { file.write("x"); },
              ThrowsMessage<Error>("cannot write the file (/dev/full): got No space left on "
                                   "device; try to free space on the disk"));
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST(AtomicFile, CannotBeUsedAfterCommit) {
  const TemporaryFolder folder;
  AtomicFile file(folder / "file");
  file.write("kept");
  file.commit();
  EXPECT_THROW(file.write("more"), Error);
  EXPECT_THROW(file.commit(), Error);
  EXPECT_EQ(read_file(folder / "file"), "kept");
}

// The statements of EXPECT_EXIT run in a child process; its standard error is matched.

[[noreturn]] void write_and_report(const fs::path& path, const std::string& contents) {
  try {
    write_file(path, contents);
  } catch (const Error& error) {
    std::fputs(error.what(), stderr);
    ::_exit(3);
  }
  ::_exit(0);
}

TEST(AtomicFileDeathTest, FileSizeLimitIsAnError) {
  const TemporaryFolder folder;
  const fs::path path = folder / "file";
  write_file(path, "old");
  EXPECT_EXIT(
      {
        ignore_file_size_signal();
        uniq::testing::limit_file_size(65536);
        write_and_report(path, std::string(100000, 'x'));
      },
      ::testing::ExitedWithCode(3), "got File too large; try to raise the file-size limit");
  EXPECT_EQ(read_file(path), "old");
  EXPECT_THAT(entries(folder.path()), ElementsAre("file"));
}

TEST(AtomicFileDeathTest, KilledProcessLeavesTheOldFile) {
  const TemporaryFolder folder;
  const fs::path path = folder / "file";
  write_file(path, "old");
  EXPECT_EXIT(
      {
        AtomicFile file(path);
        file.write("half of the new contents");
        ::raise(SIGKILL);
      },
      ::testing::KilledBySignal(SIGKILL), "");
  EXPECT_EQ(read_file(path), "old");
  write_file(path, "new");
  EXPECT_EQ(read_file(path), "new");
}

TEST(AtomicFileDeathTest, PermissionDenied) {
  const TemporaryFolder folder;
  const fs::path path = folder / "file";
  write_file(path, "old");
  if (::getuid() == 0 && ::chown(path.c_str(), 65534, 65534) != 0)
    GTEST_SKIP() << "this superuser cannot become somebody else: " << std::strerror(errno);
  fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec |
                                     fs::perms::others_read | fs::perms::others_exec);
  EXPECT_EXIT(
      {
        // The superuser may write anywhere, so become somebody else.
        constexpr uid_t kNobody = 65534;
        if (::getuid() == 0 && ::setuid(kNobody) != 0) ::_exit(9);
        write_and_report(path, "new");
      },
      ::testing::ExitedWithCode(3),
      "cannot create the file .*: got Permission denied; try to change the permissions");
  fs::permissions(folder.path(), fs::perms::owner_all);
  EXPECT_EQ(read_file(path), "old");
}

// As root of others' files: the owner and group stay. Somebody else, who may replace the file but
// not give it away, becomes its owner, and no group learns more than everybody may.
TEST(AtomicFileDeathTest, KeepsTheOwnerWherePermitted) {
  if (::getuid() != 0) {
    const TemporaryFolder folder;
    write_file(folder / "file", "old");
    ASSERT_EQ(::chmod((folder / "file").c_str(), 0660), 0);
    write_file(folder / "file", "new");
    EXPECT_EQ(mode_of(folder / "file"), 0660u) << "the user's own groups can be kept";
    return;
  }
  constexpr uid_t kOwner = 12345;
  constexpr gid_t kGroup = 23456;
  constexpr uid_t kNobody = 65534;
  const TemporaryFolder folder;
  const fs::path file = folder / "file";
  const auto status_of_file = [&] {
    struct stat status {};
    EXPECT_EQ(::stat(file.c_str(), &status), 0);
    return status;
  };
  write_file(file, "old");
  if (::chown(file.c_str(), kOwner, kGroup) != 0)
    GTEST_SKIP() << "this superuser may not give files away: " << std::strerror(errno);
  ASSERT_EQ(::chmod(file.c_str(), 0664), 0);
  write_file(file, "new");
  EXPECT_EQ(status_of_file().st_uid, kOwner);
  EXPECT_EQ(status_of_file().st_gid, kGroup);
  EXPECT_EQ(mode_of(file), 0664u);

  fs::permissions(folder.path(), fs::perms::all);
  EXPECT_EXIT(
      {
        if (::setgroups(0, nullptr) != 0 || ::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)
          ::_exit(9);
        write_and_report(file, "newer");
      },
      ::testing::ExitedWithCode(0), "");
  EXPECT_EQ(read_file(file), "newer");
  EXPECT_EQ(status_of_file().st_uid, kNobody);
  EXPECT_EQ(status_of_file().st_gid, kNobody);
  EXPECT_EQ(mode_of(file), 0644u);
}

/// A POSIX access control list in the form of its extended attribute: tag, permissions, id.
std::string access_list(const std::vector<std::array<std::uint32_t, 3>>& entries) {
  std::string bytes("\2\0\0\0", 4);  // the version
  const auto append = [&bytes](std::uint32_t value, int size) {
    for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> 8 * i);
  };
  for (const auto& [tag, permissions, id] : entries) {
    append(tag, 2);
    append(permissions, 2);
    append(id, 4);
  }
  return bytes;
}

// The owning group may do nothing, and the mode of 0660 speaks of user 54321 alone.
TEST(AtomicFile, KeepsTheAccessControlList) {
  const TemporaryFolder folder;
  const fs::path file = folder / "file";
  write_file(file, "old");
  constexpr std::uint32_t kNone = ~std::uint32_t{0};
  const std::string list =
      access_list({{1, 6, kNone}, {2, 6, 54321}, {4, 0, kNone}, {16, 6, kNone}, {32, 0, kNone}});
  constexpr const char* kName = "system.posix_acl_access";
  if (::setxattr(file.c_str(), kName, list.data(), list.size(), 0) != 0)
    GTEST_SKIP() << "no access control lists here: " << std::strerror(errno);
  EXPECT_EQ(mode_of(file), 0660u);
  write_file(file, "new");
  EXPECT_EQ(read_file(file), "new");
  EXPECT_EQ(mode_of(file), 0660u);
  std::string found(256, '\0');
  const ssize_t size = ::getxattr(file.c_str(), kName, found.data(), found.size());
  ASSERT_GE(size, 0) << std::strerror(errno);
  EXPECT_EQ(found.substr(0, static_cast<std::size_t>(size)), list);
}

TEST(AtomicFile, PartialAndInterruptedWritesAreContinued) {
  const TemporaryFolder folder;
  std::string contents;
  for (int i = 0; i < 5000; ++i) contents += std::to_string(i);
  for (const std::size_t largest : {1, 7, 4096}) {
    {
      FaultInjection::Plan plan;
      plan.largest_write = largest;
      plan.interrupt_every_other = true;
      const FaultInjection faults(plan);
      write_file(folder / "file", contents);
      EXPECT_EQ(std::count(faults.calls().begin(), faults.calls().end(), "write"),
                static_cast<std::ptrdiff_t>((contents.size() + largest - 1) / largest));
    }
    EXPECT_EQ(read_file(folder / "file"), contents) << largest;
  }
}

TEST(AtomicFile, SyncsBeforeTheRenameAndTheFolderAfterIt) {
  const TemporaryFolder folder;
  const FaultInjection faults({});
  write_file(folder / "file", "contents");
  EXPECT_THAT(faults.calls(), ElementsAre("write", "fsync", "close", "rename", "fsync", "close"));
}

/// Each call fails in turn: the old file or the whole new one stands there, nothing beside it.
TEST(AtomicFile, EveryFailingCallLeavesAWholeFile) {
  constexpr int kCalls = 9;  // 4 writes, fsync, close, rename, fsync and close of the folder
  const std::string contents = "new contents";
  for (const int error : {ENOSPC, EIO, EDQUOT, EFBIG, EACCES}) {
    for (int call = 0; call < kCalls; ++call) {
      const TemporaryFolder folder;
      const fs::path path = folder / "file";
      write_file(path, "old");
      std::string failed;
      std::string message;
      {
        FaultInjection::Plan plan;
        plan.failing_call = call;
        plan.error = error;
        plan.largest_write = 3;
        const FaultInjection faults(plan);
        try {
          write_file(path, contents);
        } catch (const Error& thrown) {
          message = thrown.what();
        }
        failed = faults.calls()[static_cast<std::size_t>(call)];
      }
      SCOPED_TRACE(std::to_string(call) + " " + failed + ": " + message);
      EXPECT_THAT(entries(folder.path()), ElementsAre("file"));
      const bool renamed = call > 6;
      EXPECT_EQ(read_file(path), renamed ? contents : "old");
      const bool harmless = call == kCalls - 1;  // closing the folder after it was synced
      EXPECT_EQ(message.empty(), harmless);
      if (harmless) continue;
      EXPECT_THAT(message, HasSubstr(path.string()));
      EXPECT_THAT(message, HasSubstr("; try "));
    }
  }
}

}  // namespace
}  // namespace uniq
