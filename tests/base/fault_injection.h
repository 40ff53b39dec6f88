// Makes system calls fail on purpose. fault_injection.cpp replaces read, write, fsync, close and
// rename for the whole test program, which therefore has to link it; nothing fails until told to.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace uniq::testing {

/// While it lives, counts the system calls, and lets one of them fail.
class FaultInjection {
 public:
  static constexpr int kNone = -1;

  struct Plan {
    int failing_call = kNone;               ///< 0-based, among all calls counted
    int error = 0;                          ///< errno of the failing call
    std::size_t largest_write = 1 << 30;    ///< longer writes are cut to this: partial writes
    bool interrupt_every_other = false;     ///< every second write and fsync says EINTR
    std::function<void()> after_read = {};  ///< called once, behind the first read
  };

  explicit FaultInjection(const Plan& plan);
  ~FaultInjection();
  FaultInjection(const FaultInjection&) = delete;
  FaultInjection& operator=(const FaultInjection&) = delete;

  /// Names of the calls so far (reads are not counted): "write", "fsync", "close", "rename".
  const std::vector<std::string>& calls() const;
};

/// Of this process, for good: to be called in a child (EXPECT_EXIT).
void limit_file_size(std::size_t bytes);

}  // namespace uniq::testing
