// What each command does: one function and one file per command. They return the exit code, print
// results, and throw. Those that need LibTorch are in training/commands.h; of a packed model, eval
// and bench are here.
#pragma once

#include "uniq/cli/file_kind.h"
#include "uniq/cli/options/options.h"

namespace uniq::cli {

int summary(const SummaryOptions& options);
int pack(const PackOptions& options);
int run(const RunOptions& options);
int inspect(const InspectOptions& options);
int completions(const CompletionsOptions& options);

// The file is a packed model.
int eval_packed(const EvalOptions& options);
int bench_packed(const BenchOptions& options);
int summary_packed(const InputFile& file, bool json);
int inspect_packed(const InputFile& file, bool json);

}  // namespace uniq::cli
