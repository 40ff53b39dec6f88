#define UNIQ_LOOPS kAvx512Loops
#define UNIQ_LOOPS_NAME "avx512"
#define UNIQ_LANES 16
#if defined(__x86_64__)
#include "uniq/quant/loops.inc"
#endif
