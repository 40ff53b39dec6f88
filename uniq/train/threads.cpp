#include "uniq/train/threads.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>

#include "uniq/base/usable_cpus.h"

namespace uniq::train {
namespace {

/// usable_cpus() for OpenMP's threads. Where it binds them (OMP_PROC_BIND, OMP_PLACES), it has
/// bound the first thread to one CPU before main(), and only libgomp still knows how many there
/// were. The symbol is looked up, for a LibTorch may be built without OpenMP.
UsableCpus cpus_of_openmp() {
  using CountCpus = int (*)();
  const auto count = reinterpret_cast<CountCpus>(::dlsym(RTLD_DEFAULT, "omp_get_num_procs"));
  return count == nullptr ? usable_cpus() : usable_cpus(count(), cpu_quota());
}

}  // namespace

void use_threads(int count) {
  if (count > 0) return at::set_num_threads(count);
  const int usable = cpus_of_openmp().count;
  if (usable < at::get_num_threads()) at::set_num_threads(usable);
}

}  // namespace uniq::train
