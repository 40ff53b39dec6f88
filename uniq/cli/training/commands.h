// The commands that need LibTorch; commands.h says what they share with the others.
#pragma once

#include <string>
#include <vector>

#include "uniq/cli/options/options.h"

namespace uniq::cli {

/// `arguments`: the whole command line, from which the one that goes on after an interruption is
/// made.
int train(const TrainOptions& options, const std::vector<std::string>& arguments);
/// Of a checkpoint, as bench is.
int eval(const EvalOptions& options);
int bench(const BenchOptions& options);
/// kFailure where it is not proven.
int verify(const VerifyOptions& options);

}  // namespace uniq::cli
