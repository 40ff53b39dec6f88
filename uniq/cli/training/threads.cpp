#include "uniq/cli/training/threads.h"

#include <ATen/Parallel.h>

namespace uniq::cli {

void use_threads(int count) {
  if (count > 0) at::set_num_threads(count);
}

}  // namespace uniq::cli
