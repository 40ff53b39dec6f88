#include "uniq/train/memory.h"

#if defined(__GLIBC__) || __has_include(<gnu/libc-version.h>)
#include <malloc.h>
#define UNIQ_HAS_MALLOPT
#endif

namespace uniq::train {

void keep_freed_memory() {
#ifdef UNIQ_HAS_MALLOPT
  constexpr int kGiB = 1 << 30;
  mallopt(M_MMAP_THRESHOLD, kGiB);
  mallopt(M_TRIM_THRESHOLD, kGiB);
  // A thread's arena is mapped in 64 MB heaps, whatever the threshold says: one arena for all.
  mallopt(M_ARENA_MAX, 1);
#endif
}

}  // namespace uniq::train
