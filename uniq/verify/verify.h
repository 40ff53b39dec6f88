// The proof that a packed network computes what was trained. docs/verify.md states what is proven
// and derives the bounds.
#pragma once

#include <cstdint>
#include <span>

#include "uniq/data/dataset.h"
#include "uniq/format/packed_model.h"
#include "uniq/pack/pack.h"
#include "uniq/train/listener.h"
#include "uniq/train/load.h"
#include "uniq/verify/layer_proof.h"
#include "uniq/verify/report.h"

namespace uniq::verify {

/// Pictures at a time. Below 16, where LibTorch never takes NNPACK's Winograd convolution, for
/// which the bounds do not hold.
inline constexpr std::int64_t kBatch = 4;

struct Options {
  int threads = 0;                      ///< of the packed network; 0: all usable CPUs
  train::Listener* listener = nullptr;  ///< is told of the progress
};

/// Proofs (0), (a) and (b). `trained`, on the CPU, holds the checkpoint's `tensors`; `model` must
/// be valid, as read_packed gives it; the pictures have the network's size. Throws Error where the
/// checkpoint cannot be packed at all; what differs is in the report.
Report verify(const train::LoadedNetwork& trained, const pack::TensorSource& tensors,
              const format::PackedModel& model, const data::Dataset& pictures,
              const Options& options = {});

/// Networks of the model for every instruction set that this CPU has, their values kept.
Networks networks_of(const format::PackedModel& model);

/// Proofs (a) and (b) alone. `packed`: what packing makes of `trained`, from which `networks` may
/// differ in parameters, not in structure. The free run is that of the network for
/// kernels::chosen_isa(), or of the last.
void prove(const train::LoadedNetwork& trained, const pack::Packed& packed,
           const Networks& networks, const data::Dataset& pictures, const Options& options,
           Report& report);

/// Random pictures of the size that `info` asks for: uniform bytes, the same from the same seed.
data::Dataset random_pictures(const format::CheckpointInfo& info, std::int64_t count,
                              std::uint64_t seed);

}  // namespace uniq::verify
