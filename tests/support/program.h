// Runs a program as a user does and keeps what it printed.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tests/base/temporary_folder.h"

namespace uniq::testing {

struct ProgramResult {
  int exit_code = 0;  ///< 128 + the signal that ended it
  std::string out;
  std::string err;
};

struct ProgramOptions {
  std::filesystem::path folder = {};               ///< where it runs; empty: here
  std::vector<std::string> environment = {};       ///< "NAME=value", over the test's own
  std::filesystem::path out = {};                  ///< where standard output goes; empty: captured
  bool error_is_terminal = false;                  ///< standard error is a terminal of 80 columns
  std::vector<int> closed = {};                    ///< descriptors that are closed when it starts
  std::optional<std::uint64_t> file_bytes = {};    ///< RLIMIT_FSIZE
  std::optional<std::uint64_t> memory_bytes = {};  ///< RLIMIT_AS
  bool without_privileges = false;                 ///< permissions bind it, whoever runs the test
  std::chrono::seconds limit{60};                  ///< then it is killed
};

/// A program that runs; killed, if it still does, at the end of the scope.
class Program {
 public:
  Program(const std::filesystem::path& program, const std::vector<std::string>& arguments,
          const ProgramOptions& options = {});
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  pid_t pid() const { return pid_; }
  void send(int signal) const;
  /// Lowers RLIMIT_AS to what it has now and so many bytes more.
  void limit_memory(std::uint64_t more) const;
  /// What it has written to standard error so far.
  std::string err_so_far();
  /// Waits until `text` stands in standard error; false where the program ends or the limit passes
  /// before.
  bool wait_for_err(const std::string& text);
  ProgramResult wait();

 private:
  bool has_ended();
  void read_terminal();

  TemporaryFolder captured_;
  std::chrono::steady_clock::time_point deadline_;
  pid_t pid_ = -1;
  int terminal_ = -1;  ///< the test's end of it
  std::string terminal_text_;
  bool ended_ = false;
  int status_ = 0;
};

ProgramResult run_program(const std::filesystem::path& program,
                          const std::vector<std::string>& arguments,
                          const ProgramOptions& options = {});

}  // namespace uniq::testing
