#include "tests/support/program.h"

#include <fcntl.h>
#include <grp.h>
#include <pty.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace uniq::testing {
namespace {

constexpr std::chrono::milliseconds kPoll{5};
constexpr const char* kOut = "out";
constexpr const char* kErr = "err";

std::string file_text(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// In the child, between fork and exec.
void redirect(int descriptor, const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (file < 0 || ::dup2(file, descriptor) < 0) ::_exit(126);
  ::close(file);
}

void set_variable(const std::string& assignment) {
  const std::size_t equals = assignment.find('=');
  ::setenv(assignment.substr(0, equals).c_str(), assignment.substr(equals + 1).c_str(), 1);
}

void limit(__rlimit_resource_t resource, std::optional<std::uint64_t> most) {
  if (!most) return;
  const rlimit both{*most, *most};
  if (::setrlimit(resource, &both) != 0) ::_exit(126);
}

/// Root without capabilities is bound by permissions as its files' owner, and what is executed gets
/// none anew. Where the bounding set cannot be changed, nobody.
void give_up_privileges() {
  constexpr uid_t kNobody = 65534;
  if (::getuid() != 0) return;
  bool has_none = true;
  for (unsigned long capability = 0; capability < 64; ++capability)
    has_none = (::prctl(PR_CAPBSET_DROP, capability) == 0 || errno == EINVAL) && has_none;
  if (has_none) return;
  if (::setgroups(0, nullptr) != 0 || ::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)
    ::_exit(126);
}

[[noreturn]] void execute(const std::filesystem::path& program,
                          const std::vector<std::string>& arguments) {
  std::vector<std::string> all = {program.string()};
  all.insert(all.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& argument : all) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  ::execv(program.c_str(), pointers.data());
  ::_exit(127);
}

}  // namespace

Program::Program(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                 const ProgramOptions& options)
    : deadline_(std::chrono::steady_clock::now() + options.limit) {
  int child_terminal = -1;
  winsize size{};
  size.ws_col = 80;
  size.ws_row = 24;
  if (options.error_is_terminal &&
      ::openpty(&terminal_, &child_terminal, nullptr, nullptr, &size) != 0) {
    throw std::runtime_error("no terminal can be had");
  }
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("cannot fork");
  if (pid_ == 0) {
    redirect(STDOUT_FILENO, options.out.empty() ? captured_ / kOut : options.out);
    if (options.error_is_terminal) {
      ::dup2(child_terminal, STDERR_FILENO);
      ::close(child_terminal);
      ::close(terminal_);
    } else {
      redirect(STDERR_FILENO, captured_ / kErr);
    }
    set_variable("UNIQ_CACHE=off");  // what was tuned on this machine is no business of tests
    for (const std::string& assignment : options.environment) set_variable(assignment);
    if (!options.folder.empty() && ::chdir(options.folder.c_str()) != 0) ::_exit(126);
    limit(RLIMIT_FSIZE, options.file_bytes);
    limit(RLIMIT_AS, options.memory_bytes);
    if (options.without_privileges) give_up_privileges();
    for (const int descriptor : options.closed) ::close(descriptor);
    execute(program, arguments);
  }
  if (child_terminal >= 0) {
    ::close(child_terminal);
    ::fcntl(terminal_, F_SETFL, O_NONBLOCK);
  }
}

Program::~Program() {
  if (!ended_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, &status_, 0);
  }
  if (terminal_ >= 0) ::close(terminal_);
}

void Program::send(int signal) const { ::kill(pid_, signal); }

void Program::limit_memory(std::uint64_t more) const {
  std::uint64_t pages = 0;
  std::ifstream("/proc/" + std::to_string(pid_) + "/statm") >> pages;
  const std::uint64_t bytes = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) + more;
  const rlimit both{bytes, bytes};
  if (::prlimit(pid_, RLIMIT_AS, &both, nullptr) != 0) throw std::runtime_error("cannot limit");
}

void Program::read_terminal() {
  if (terminal_ < 0) return;
  char buffer[4096];
  for (;;) {
    const ssize_t count = ::read(terminal_, buffer, sizeof buffer);
    if (count <= 0) return;
    terminal_text_.append(buffer, static_cast<std::size_t>(count));
  }
}

bool Program::has_ended() {
  if (!ended_) ended_ = ::waitpid(pid_, &status_, WNOHANG) == pid_;
  return ended_;
}

std::string Program::err_so_far() {
  read_terminal();
  return terminal_ >= 0 ? terminal_text_ : file_text(captured_ / kErr);
}

bool Program::wait_for_err(const std::string& text) {
  while (std::chrono::steady_clock::now() < deadline_) {
    const bool ended = has_ended();
    if (err_so_far().find(text) != std::string::npos) return true;
    if (ended) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return false;
}

ProgramResult Program::wait() {
  while (!has_ended()) {
    if (std::chrono::steady_clock::now() > deadline_) send(SIGKILL);
    read_terminal();  // else a program that prints much waits for its terminal
    std::this_thread::sleep_for(kPoll);
  }
  ProgramResult result;
  result.exit_code = WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
  result.out = file_text(captured_ / kOut);
  result.err = err_so_far();
  return result;
}

ProgramResult run_program(const std::filesystem::path& program,
                          const std::vector<std::string>& arguments,
                          const ProgramOptions& options) {
  return Program(program, arguments, options).wait();
}

}  // namespace uniq::testing
