// Times the kernels of a network's convolutions on this machine.
#pragma once

#include <functional>

#include "uniq/runtime/network.h"
#include "uniq/runtime/tuned.h"

namespace uniq::runtime {

struct TuneReport {
  Tuned tuned;            ///< of each convolution of codes; to be written and used
  double model_ms = 0.0;  ///< least time of a picture with the kernels that the model of cost takes
  double tuned_ms = 0.0;  ///< with the fastest of each layer; the same where that is no other
  /// Whether those are others and the network is faster with them; else `tuned` has the model's
  /// kernels.
  bool is_faster = false;
};

/// Runs the network as often as there are kernels for a layer, each time with another one, in its
/// place: its inputs where the layer before leaves them, its epilogue, all threads. The runs take
/// turns, and the least time of each layer counts; layers of the same shape, bits and grids count
/// together. The whole network is timed last. `options.tuned` is not used. Takes some seconds;
/// `progress` is called now and then, with what is done, 0 to 1.
TuneReport tune(const format::PackedModel& model, const NetworkOptions& options, int threads,
                const std::function<void(double)>& progress);

}  // namespace uniq::runtime
