#include "uniq/train/threads.h"

#include <ATen/Parallel.h>

#include "uniq/base/usable_cpus.h"

namespace uniq::train {

void use_threads(int count) {
  if (count > 0) return at::set_num_threads(count);
  const int usable = usable_cpus().count;
  if (usable < at::get_num_threads()) at::set_num_threads(usable);
}

}  // namespace uniq::train
