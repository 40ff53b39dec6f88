#include "uniq/cli/bench_report.h"

#include <algorithm>

#include "uniq/base/clock.h"
#include "uniq/base/cpu.h"
#include "uniq/cli/text.h"
#include "uniq/data/random.h"

namespace uniq::cli {
namespace {

constexpr std::size_t kWarmUpRuns = 3;
constexpr double kWarmUpSeconds = 0.2;
constexpr std::size_t kLeastRuns = 20;
constexpr double kLeastSeconds = 2.0;
constexpr std::uint64_t kSeed = 1;

/// Seconds of each call: at least `runs` of them, and more until `seconds` have passed.
std::vector<double> timed(const std::function<void()>& work, std::size_t runs, double seconds) {
  std::vector<double> times;
  const double begin = now();
  double end = begin;
  while (times.size() < runs || end - begin < seconds) {
    const double start = now();
    work();
    end = now();
    times.push_back(end - start);
  }
  return times;
}

}  // namespace

Latency latency_of(std::vector<double> seconds) {
  constexpr double kMilliseconds = 1e3;
  std::ranges::sort(seconds);
  const std::size_t half = seconds.size() / 2;
  const double median =
      seconds.size() % 2 == 1 ? seconds[half] : (seconds[half - 1] + seconds[half]) / 2;
  return {.runs = std::ssize(seconds),
          .min_ms = kMilliseconds * seconds.front(),
          .median_ms = kMilliseconds * median};
}

Latency measure_latency(const std::function<void()>& work, std::int64_t runs) {
  timed(work, kWarmUpRuns, kWarmUpSeconds);
  return latency_of(runs > 0 ? timed(work, static_cast<std::size_t>(runs), 0.0)
                             : timed(work, kLeastRuns, kLeastSeconds));
}

std::vector<std::uint8_t> random_picture(std::int64_t bytes) {
  data::Random random(kSeed);
  std::vector<std::uint8_t> picture(static_cast<std::size_t>(bytes));
  for (std::uint8_t& byte : picture) byte = static_cast<std::uint8_t>(random.below(256));
  return picture;
}

ThreadChoice choose_threads(int option, const UsableCpus& usable) {
  if (option > 0) return {.count = option, .limit = "option", .why = "--threads"};
  return {.count = usable.count, .limit = std::string(limit_name(usable.limit)), .why = usable.why};
}

Table bench_table(const BenchReport& report) {
  Table table = facts();
  table.add({"network", printable(report.file)});
  table.add({"engine", report.engine});
  table.add({"CPU", cpu_info().model});
  table.add({"threads", std::to_string(report.threads.count) + " (" + report.threads.why + ")"});
  table.add({"runs", grouped(report.latency.runs) + ", of one random picture each"});
  table.add({"minimum", fixed(report.latency.min_ms, 3) + " ms"});
  table.add({"median", fixed(report.latency.median_ms, 3) + " ms"});
  return table;
}

nlohmann::ordered_json bench_json(const BenchReport& report) {
  return {{"file", report.file},
          {"engine", report.engine},
          {"cpu", cpu_info().model},
          {"threads", report.threads.count},
          {"threads_limit", report.threads.limit},
          {"threads_why", report.threads.why},
          {"runs", report.latency.runs},
          {"min_ms", report.latency.min_ms},
          {"median_ms", report.latency.median_ms}};
}

}  // namespace uniq::cli
