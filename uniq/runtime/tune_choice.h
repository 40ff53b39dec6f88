// Which kernels tuning times, and which it takes by their times. No clock is read here.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "uniq/runtime/choice.h"
#include "uniq/runtime/tuned.h"

namespace uniq::runtime {

/// By conv_key: names of kernels to time, the one that the model of cost takes first.
using KernelNames = std::map<std::string, std::vector<std::string>>;
/// By conv_key, then by kernel: milliseconds.
using KernelTimes = std::map<std::string, std::map<std::string, double, std::less<>>>;

/// Names of kernels to time for a convolution: the taken one, and at most five others that are
/// expected to take at most 8 times as long as the cheapest, the cheapest first.
std::vector<std::string> kernels_to_time(const ConvChoice& choice);

/// Each convolution's kernel number i, or its first where it has fewer.
Tuned round_of(const KernelNames& names, std::size_t i);

/// One network, timed: by step, empty names where the step is no convolution of codes.
struct TimedSteps {
  std::vector<std::string> kernels;
  std::vector<double> seconds;
};

/// The least time of each step with each kernel; of steps with the same key their mean. keys: by
/// step.
KernelTimes times_of(std::span<const std::string> keys, std::span<const TimedSteps> runs);

/// The fastest kernel of each convolution, with all times; the model's where no other is faster by
/// 3 %, which times differ by from run to run.
Tuned fastest(const KernelNames& names, const KernelTimes& times);

/// Whether it has another kernel than the model's for some convolution.
bool differs(const Tuned& tuned, const KernelNames& names);

}  // namespace uniq::runtime
