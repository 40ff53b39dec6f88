#include "uniq/base/usable_cpus.h"

#include <algorithm>
#include <cerrno>
#include <memory>

#include "uniq/base/thread_pool.h"

namespace uniq {
namespace {

int read_affinity(std::size_t bytes, cpu_set_t* mask) {
  return ::sched_getaffinity(0, bytes, mask) == 0 ? 0 : errno;
}

std::string cpus_text(int count) { return std::to_string(count) + (count == 1 ? " CPU" : " CPUs"); }

std::string quota_text(const CpuQuota& quota) {
  return "the control group allows " + std::to_string(quota.quota) + " us of CPU time in " +
         std::to_string(quota.period) + " us (" + quota.file.string() + ")";
}

}  // namespace

std::string_view limit_name(UsableCpus::Limit limit) {
  switch (limit) {
    case UsableCpus::Limit::affinity:
      return "affinity";
    case UsableCpus::Limit::control_group:
      return "control_group";
    case UsableCpus::Limit::most:
      break;
  }
  return "most";
}

int affinity_cpus(ReadAffinity read) {
  constexpr int kMostCpus = 1 << 22;
  struct Free {
    void operator()(cpu_set_t* mask) const { CPU_FREE(mask); }
  };
  for (int cpus = CPU_SETSIZE; cpus <= kMostCpus; cpus *= 2) {
    const std::unique_ptr<cpu_set_t, Free> mask(CPU_ALLOC(static_cast<std::size_t>(cpus)));
    const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(cpus));
    if (!mask) break;
    CPU_ZERO_S(bytes, mask.get());
    const int error = read(bytes, mask.get());
    if (error == 0) return std::max(1, CPU_COUNT_S(bytes, mask.get()));
    if (error != EINVAL) break;  // the kernel's mask is larger
  }
  return 1;
}

UsableCpus usable_cpus(int affinity, const std::optional<CpuQuota>& quota) {
  UsableCpus usable{.count = affinity,
                    .limit = UsableCpus::Limit::affinity,
                    .why = "the affinity mask has " + cpus_text(affinity)};
  if (quota && quota->whole_cpus() < usable.count)
    usable = {.count = static_cast<int>(std::max<std::int64_t>(1, quota->whole_cpus())),
              .limit = UsableCpus::Limit::control_group,
              .why = quota_text(*quota)};
  if (usable.count > kMaxThreads)
    usable = {.count = kMaxThreads,
              .limit = UsableCpus::Limit::most,
              .why = "at most " + std::to_string(kMaxThreads) + " threads are allowed"};
  return usable;
}

UsableCpus usable_cpus() { return usable_cpus(affinity_cpus(read_affinity), cpu_quota()); }

}  // namespace uniq
