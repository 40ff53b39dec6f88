#include "uniq/train/threads.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>

namespace uniq::train {

/// libgomp binds the first thread before main(), and only it still knows how many CPUs there were.
/// The symbol is looked up, for a LibTorch may be built without OpenMP.
UsableCpus usable_cpus_unbound() {
  using CountCpus = int (*)();
  const auto count = reinterpret_cast<CountCpus>(::dlsym(RTLD_DEFAULT, "omp_get_num_procs"));
  return count == nullptr ? usable_cpus() : usable_cpus(count(), cpu_quota());
}

void use_threads(int count) {
  if (count > 0) return at::set_num_threads(count);
  const int usable = usable_cpus_unbound().count;
  if (usable < at::get_num_threads()) at::set_num_threads(usable);
}

}  // namespace uniq::train
