// What `uniqnn pack --random` packs.
#pragma once

#include "uniq/cli/options/options.h"
#include "uniq/pack/random_network.h"

namespace uniq::cli {

/// The built-in network for its usual pictures, with the bits that were asked for. Throws
/// UsageError for options that mean nothing for it.
pack::RandomNetwork random_network(const PackOptions& options);

}  // namespace uniq::cli
