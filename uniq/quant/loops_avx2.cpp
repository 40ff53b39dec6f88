#define UNIQ_LOOPS kAvx2Loops
#define UNIQ_LOOPS_NAME "avx2"
#define UNIQ_LANES 8
#if defined(__x86_64__)
#include "uniq/quant/loops.inc"
#endif
