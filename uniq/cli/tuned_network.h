// A packed model with the kernels that were tuned for it, where they were.
#pragma once

#include <memory>
#include <string>

#include "uniq/runtime/network.h"
#include "uniq/runtime/tune.h"

namespace uniq::cli {

/// Kernels of this machine's file of tuned ones, unless `without` says otherwise; a file that
/// cannot be used is warned of. threads: as in SessionOptions.
std::shared_ptr<const runtime::Network> load_tuned_network(const std::string& file, int threads,
                                                           const runtime::Without& without = {});

/// The same for a model that was read.
std::shared_ptr<const runtime::Network> make_tuned_network(format::PackedModel model, int threads,
                                                           const runtime::Without& without = {});

/// Times the kernels, with a line of progress, and writes that file.
struct TunedNetwork {
  runtime::TuneReport report;
  std::string file;  ///< that was written
};
TunedNetwork tune_network(const format::PackedModel& model, int threads,
                          const runtime::Without& without, bool quiet);

}  // namespace uniq::cli
