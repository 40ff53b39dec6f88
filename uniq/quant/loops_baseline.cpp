#define UNIQ_LOOPS kBaselineLoops
#define UNIQ_LOOPS_NAME "baseline"
#define UNIQ_LANES 4
#include "uniq/quant/loops.inc"
