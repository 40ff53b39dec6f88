// What `uniqnn bench` measures and prints, whichever program runs the network.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "uniq/base/usable_cpus.h"
#include "uniq/cli/table.h"

namespace uniq::cli {

struct Latency {
  std::int64_t runs = 0;
  double min_ms = 0.0;
  double median_ms = 0.0;  ///< of an even number of runs the mean of the middle two
};

/// Of one call or more.
Latency latency_of(std::vector<double> seconds);

/// Calls `work` to warm up, at least three times and for a fifth of a second, then `runs` times; 0:
/// at least 20 times and for two seconds.
Latency measure_latency(const std::function<void()>& work, std::int64_t runs);

/// The same random bytes each time.
std::vector<std::uint8_t> random_picture(std::int64_t bytes);

/// How many threads compute, and why that many.
struct ThreadChoice {
  int count = 0;
  std::string limit;  ///< "option", "affinity", "control_group", "most" or "libtorch"
  std::string why;    ///< for people: "the affinity mask has 4 CPUs"
};
/// For the value of --threads: that many, or 0 for the CPUs that may be used.
ThreadChoice choose_threads(int option, const UsableCpus& usable);

struct BenchReport {
  std::string file;
  std::string engine;  ///< "uniqnn 0.1.0, avx2", "LibTorch 2.13.0"
  ThreadChoice threads;
  Latency latency;
};
/// Names and values; the CPU is that of this machine.
Table bench_table(const BenchReport& report);
nlohmann::ordered_json bench_json(const BenchReport& report);

}  // namespace uniq::cli
