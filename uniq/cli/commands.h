// What each command does: one function and one file per command. They return the exit code, print
// results, and throw. Those that need LibTorch are in training/commands.h.
#pragma once

#include "uniq/cli/options/options.h"

namespace uniq::cli {

int pack(const PackOptions& options);
int summary(const SummaryOptions& options);
int inspect(const InspectOptions& options);
int completions(const CompletionsOptions& options);

}  // namespace uniq::cli
