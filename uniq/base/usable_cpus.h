// How many threads may compute at once: what every default number of threads is taken from.
#pragma once

#include <sched.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "uniq/base/control_groups.h"

namespace uniq {

struct UsableCpus {
  /// What holds the number down.
  enum class Limit {
    affinity,       ///< the affinity mask: `taskset`, cpusets, and at most the machine's CPUs
    control_group,  ///< the CPU quota of a control group
    most,           ///< kMaxThreads
  };
  int count = 1;  ///< 1 to kMaxThreads
  Limit limit = Limit::affinity;
  std::string why;  ///< "the affinity mask has 4 CPUs", for people
};
/// "affinity", "control_group", "most".
std::string_view limit_name(UsableCpus::Limit limit);

/// CPUs that the calling thread, and the threads that it starts, may use: those of its affinity
/// mask, limited by the CPU quota of its control groups. Asked anew each time, for both may change.
UsableCpus usable_cpus();

/// The rule apart from the system: min(affinity, max(1, floor(quota / period)), kMaxThreads).
UsableCpus usable_cpus(int affinity, const std::optional<CpuQuota>& quota);

/// sched_getaffinity for the calling thread: 0, or the error number.
using ReadAffinity = int (*)(std::size_t bytes, cpu_set_t* mask);

/// CPUs of the affinity mask, which takes as many bytes as the kernel asks for: machines may have
/// more than the 1,024 CPUs of a cpu_set_t. 1 where it cannot be read.
int affinity_cpus(ReadAffinity read);

}  // namespace uniq
