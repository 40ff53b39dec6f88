#define UNIQ_LOOPS kBaselineLoops
#define UNIQ_LOOPS_NAME "baseline"
#include "uniq/quant/loops.inc"
