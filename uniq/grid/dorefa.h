// What DoReFa (Zhou et al., 2016) puts on the grid in place of the weights, and PACT with it: the
// one definition for training and for what is deployed.
#pragma once

#include <span>

namespace uniq {

/// tanh in double precision, rounded once: at 2 bits and more the grid is that of
/// t = dorefa_tanh(w) / dorefa_divisor(max |dorefa_tanh(w)|), divided in fp32. At 1 bit it is that
/// of w itself.
float dorefa_tanh(float weight);

/// The largest magnitude itself; 1 where it is 0, so that weights that are all zero stay so.
float dorefa_divisor(float largest);

/// The step of what is put on the grid. 2 bits and more: 2 / M. 1 bit: twice the mean magnitude,
/// summed in double in the order of the elements and rounded once; kStepOfZeros where that is 0.
float dorefa_step(std::span<const float> weights, int bits);

}  // namespace uniq
