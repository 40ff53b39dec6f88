#include "tests/base/fault_injection.h"

#include <dlfcn.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace uniq::testing {
namespace {

struct State {
  bool armed = false;
  FaultInjection::Plan plan;
  std::vector<std::string> calls;
  bool interrupted_last = false;
};

State& state() {
  static State instance;
  return instance;
}

/// Whether the call that begins now has to fail; errno is then set.
bool fails(const char* name, bool interruptible) {
  State& s = state();
  if (!s.armed) return false;
  if (interruptible && s.plan.interrupt_every_other) {
    s.interrupted_last = !s.interrupted_last;
    if (s.interrupted_last) {
      errno = EINTR;
      return true;
    }
  }
  s.calls.emplace_back(name);
  if (static_cast<int>(s.calls.size()) - 1 != s.plan.failing_call) return false;
  errno = s.plan.error;
  return true;
}

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

FaultInjection::FaultInjection(const Plan& plan) {
  state() = State{.armed = true, .plan = plan, .calls = {}, .interrupted_last = false};
}

FaultInjection::~FaultInjection() { state().armed = false; }

const std::vector<std::string>& FaultInjection::calls() const { return state().calls; }

void limit_file_size(std::size_t bytes) {
  const rlimit limit{bytes, bytes};
  if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) std::abort();
}

}  // namespace uniq::testing

using uniq::testing::fails;
using uniq::testing::next;
using uniq::testing::state;

extern "C" {

ssize_t write(int descriptor, const void* bytes, size_t size) {
  static auto* const real = next<ssize_t(int, const void*, size_t)>("write");
  if (fails("write", true)) return -1;
  if (state().armed) size = std::min(size, state().plan.largest_write);
  return real(descriptor, bytes, size);
}

ssize_t read(int descriptor, void* bytes, size_t size) {
  static auto* const real = next<ssize_t(int, void*, size_t)>("read");
  const ssize_t got = real(descriptor, bytes, size);
  if (!state().armed || !state().plan.after_read) return got;
  const int error = errno;
  std::exchange(state().plan.after_read, {})();
  errno = error;
  return got;
}

int fsync(int descriptor) {
  static auto* const real = next<int(int)>("fsync");
  return fails("fsync", true) ? -1 : real(descriptor);
}

int close(int descriptor) {
  static auto* const real = next<int(int)>("close");
  const bool failing = fails("close", false);
  const int error = errno;
  const int result = real(descriptor);  // a failing close releases the descriptor all the same
  if (!failing) return result;
  errno = error;
  return -1;
}

int rename(const char* from, const char* to) noexcept {
  static auto* const real = next<int(const char*, const char*)>("rename");
  return fails("rename", false) ? -1 : real(from, to);
}

}  // extern "C"
