// The CPU quota of a process's control groups (cgroups(7)), which holds in containers and under
// systemd's CPUQuota=.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace uniq {

/// CPU time that the processes of a group may take in each period.
struct CpuQuota {
  std::filesystem::path file;  ///< that says so: ".../cpu.max" or ".../cpu.cfs_quota_us"
  std::int64_t quota = 0;      ///< microseconds, at least 1
  std::int64_t period = 0;     ///< microseconds, at least 1

  /// floor(quota / period): a CPU of which only a part may be used counts as none.
  std::int64_t whole_cpus() const { return quota / period; }
};

/// The tightest quota among the process's own group and its parents, as far as they can be seen;
/// nothing where none has a quota. Throws nothing: a file that cannot be read, or that does not say
/// what it should, counts as none.
///
/// The cpu controller is in one hierarchy: that of version 1 where /proc/self/cgroup names it, else
/// version 2. Hybrid machines mount both.
///
/// `proc`: where /proc is; `root`: what the mount points in it are relative to.
std::optional<CpuQuota> cpu_quota(const std::filesystem::path& proc = "/proc",
                                  const std::filesystem::path& root = "/");

}  // namespace uniq
