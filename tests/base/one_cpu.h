// Holds threads to one CPU, as `taskset` does.
#pragma once

#include <sched.h>

#include <stdexcept>
#include <vector>

namespace uniq::testing {

/// While it lives, the calling thread may use one CPU, and so may the threads and the programs that
/// it starts.
class OneCpu {
 public:
  OneCpu() : before_(kBytes / sizeof(unsigned long)) {
    const int here = ::sched_getcpu();
    std::vector<unsigned long> one(before_.size());
    CPU_SET_S(static_cast<std::size_t>(here), kBytes, mask(one));
    if (here < 0 || ::sched_getaffinity(0, kBytes, mask(before_)) != 0 ||
        ::sched_setaffinity(0, kBytes, mask(one)) != 0)
      throw std::runtime_error("the affinity mask cannot be set");
  }
  ~OneCpu() { ::sched_setaffinity(0, kBytes, mask(before_)); }
  OneCpu(const OneCpu&) = delete;
  OneCpu& operator=(const OneCpu&) = delete;

 private:
  static constexpr std::size_t kBytes = (1 << 16) / 8;  ///< for machines of 65,536 CPUs

  static cpu_set_t* mask(std::vector<unsigned long>& words) {
    return reinterpret_cast<cpu_set_t*>(words.data());
  }

  std::vector<unsigned long> before_;
};

}  // namespace uniq::testing
