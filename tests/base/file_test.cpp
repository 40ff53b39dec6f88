#include "uniq/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
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
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
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

TEST(ReadFile, GivesEveryByte) {
  const TemporaryFolder folder;
  for (const std::size_t size : {0, 1, 4095, 65536, 65537, 300000}) {
    std::string contents(size, '\0');
    for (std::size_t i = 0; i < size; ++i) contents[i] = static_cast<char>(i * 31 + i / 256);
    write_file(folder / "bytes", contents);
    EXPECT_EQ(read_file(folder / "bytes"), contents) << size;
  }
}

TEST(ReadFile, ReadsWhatHasNoSize) {
  const TemporaryFolder folder;
  const fs::path pipe = folder / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const std::string contents(200000, 'x');  // longer than a pipe holds
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    write_file(pipe, contents);
    ::_exit(0);
  }
  EXPECT_EQ(read_file(pipe), contents);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(fs::is_fifo(pipe)) << "a pipe is written to, not replaced";
}

TEST(ReadFile, SaysWhyNot) {
  const TemporaryFolder folder;
  const fs::path missing = folder / "missing";
  EXPECT_THAT([&] { read_file(missing); },
              ThrowsMessage<Error>("cannot open the file (" + missing.string() +
                                   "): got No such file or directory; try to check the path"));
  EXPECT_THAT([&] { read_file(folder.path()); },
              ThrowsMessage<Error>(
                  AllOf(StartsWith("cannot read the file (" + folder.path().string() + ")"),
                        HasSubstr("Is a directory"))));
}

TEST(ReadFile, RefusesMoreThanTheLimit) {
  const TemporaryFolder folder;
  write_file(folder / "ten", "0123456789");
  EXPECT_EQ(read_file(folder / "ten", 10), "0123456789");
  EXPECT_THAT([&] { read_file(folder / "ten", 9); },
              ThrowsMessage<Error>("file is too large (" + (folder / "ten").string() +
                                   "): got 10 B, expected at most 9 B"));
  EXPECT_THAT([&] { read_file("/dev/zero", 1000); },
              ThrowsMessage<Error>("file is too large (/dev/zero): got more, expected at most "
                                   "1 kB"));
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
  const std::string stem = ".file." + std::to_string(::getpid()) + "-";
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
